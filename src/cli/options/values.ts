/** Reads the values of options: each returns what was meant or throws a UsageError with the mend. */
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import { ulaFor, Subnet } from "../../net/subnet.ts";
import { hasIpv6 } from "../../sandbox/network/space.ts";
import type { Until } from "../../sandbox/processes/run.ts";

const durationUnitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const longestMs = 24 * 3_600_000;

/** `500ms`, `2s`, `1.5m`, `1h`; a bare number is seconds. In milliseconds, at most a day. */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const milliseconds = match ? Number(match[1]) * (durationUnitsMs[match[2] ?? "s"] ?? 1) : NaN;
  if (!match)
    throw new UsageError(
      `${option} '${text}' is not a duration: write it like 500ms, 2s, 1.5m or 1h`,
    );
  if (milliseconds > longestMs)
    throw new UsageError(`${option} '${text}' is out of range: at most 24h`);
  return milliseconds;
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** `4096`, `64k`, `1M`: bytes, from `least` to `most`. */
export function parseSize(text: string, option: string, least: number, most: number): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (!match)
    throw new UsageError(`${option} '${text}' is not a size: write it like 65536, 64k or 1M`);
  const bytes = Number(match[1]) * (sizeUnits[(match[2] ?? "").toLowerCase()] ?? 1);
  if (bytes >= least && bytes <= most) return bytes;
  throw new UsageError(`${option} '${text}' is out of range: from ${least} to ${most} bytes`);
}

/** For an option that may be given several times. */
export const collect = (value: string, values: readonly string[] = []): string[] => [
  ...values,
  value,
];

/** A number above 0, and at most `most`. */
export function parsePositive(text: string, option: string, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= most))
    throw new UsageError(
      `${option} '${text}' is out of range: give a number above 0, at most ${most}`,
    );
  return value;
}

/** A whole number above 0, and at most `most`. */
export function parseCount(text: string, option: string, most: number): number {
  const value = parsePositive(text, option, most);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${option} '${text}' is not a whole number`);
}

/** `TERM`, `SIGTERM` or `15`. */
export function parseSignal(text: string): NodeJS.Signals {
  const { signals } = constants;
  const upper = text.toUpperCase();
  const name = (Object.keys(signals) as NodeJS.Signals[]).find(
    (signal) => signal === upper || signal === `SIG${upper}` || String(signals[signal]) === text,
  );
  if (!name)
    throw new UsageError(
      `there is no signal '${text}': name one like TERM, INT or KILL ('kill -l' lists them)`,
    );
  return name;
}

/** `all`, `first`, or a container's name, which must be one of `names`. */
export function parseUntil(text: string, names: readonly string[]): Until {
  const name = names[indexOfName(names, text)];
  if (name !== undefined) return { name };
  if (text === "all" || text === "first") return text;
  throw new UsageError(
    `--until '${text}' is neither 'all', 'first' nor a command's name (${names.join(", ")})`,
  );
}

/** A user or group, by name or number, that exists; or a number that none has. A user's number becomes the name. */
export function checkIdentity(
  text: string | undefined,
  kind: "user" | "group",
): string | undefined {
  if (text === undefined) return undefined;
  const isNumber = /^\d{1,9}$/.test(text);
  if (isNumber && kind === "group") return text;
  const name = /^[\w.-]+$/.test(text) ? nameInDatabase(kind, text) : undefined;
  if (name === undefined && !isNumber)
    throw new UsageError(`there is no ${kind} '${text}' on this machine`);
  return name ?? text;
}

/** How the system's database calls this user or group; undefined if there is none. */
function nameInDatabase(kind: "user" | "group", key: string): string | undefined {
  const database = kind === "user" ? "passwd" : "group";
  const { status, stdout } = spawnSync("getent", ["--", database, key], { encoding: "utf8" });
  return status === 0 ? stdout.split(":")[0] : undefined;
}

/**
 * The group that a user given without one stands for: the user's own, so that nobody keeps the caller's. A
 * number that no user has stands for the group of that number.
 */
export function primaryGroupOf(user: string): string {
  const { status, stdout } = spawnSync("id", ["-g", "--", user], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : user;
}

export interface SubnetOptions {
  readonly subnet: string;
  readonly subnet6?: string | undefined;
  /** commander's way to say `--no-ipv6`. */
  readonly ipv6: boolean;
}

/** The subnets of a run: the given one, and for IPv4 its IPv6 twin unless it is not wanted. */
export function parseSubnets({ subnet, subnet6, ipv6 }: SubnetOptions): Subnet[] {
  const first = Subnet.parse(subnet);
  if (!ipv6 && subnet6 !== undefined)
    throw new UsageError("--subnet6 and --no-ipv6 exclude each other");
  if (first.family === 6) {
    if (subnet6 !== undefined)
      throw new UsageError("-s is an IPv6 subnet already: leave out --subnet6");
    return [first];
  }
  if (!ipv6 || !hasIpv6()) return [first];
  const second = subnet6 === undefined ? ulaFor(first) : Subnet.parse(subnet6);
  if (second.family !== 6) throw new UsageError(`--subnet6 '${subnet6}' is not an IPv6 subnet`);
  return [first, second];
}
