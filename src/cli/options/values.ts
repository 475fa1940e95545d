/**
 * Parses option values. Each function returns the value or throws a {@link UsageError} that says
 * how to fix it.
 */
import { spawnSync } from "node:child_process";
import { constants } from "node:os";
import { nameAmong } from "../../base/container-name.ts";
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

/**
 * Parses `500ms`, `2s`, `1.5m` or `1h`; a bare number is in seconds. Returns milliseconds, at most
 * a day.
 */
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

/** Parses `4096`, `64k` or `1M`. Returns bytes, from `least` to `most`. */
export function parseSize(text: string, option: string, least: number, most: number): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (!match)
    throw new UsageError(`${option} '${text}' is not a size: write it like 65536, 64k or 1M`);
  const bytes = Number(match[1]) * (sizeUnits[(match[2] ?? "").toLowerCase()] ?? 1);
  if (bytes >= least && bytes <= most) return bytes;
  throw new UsageError(`${option} '${text}' is out of range: from ${least} to ${most} bytes`);
}

/** Collects the values of a repeatable option. */
export const collect = (value: string, values: readonly string[] = []): string[] => [
  ...values,
  value,
];

/** Parses a number above 0, at most `most`. */
export function parsePositive(text: string, option: string, most: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= most))
    throw new UsageError(
      `${option} '${text}' is out of range: give a number above 0, at most ${most}`,
    );
  return value;
}

/** Parses a whole number above 0, at most `most`. */
export function parseCount(text: string, option: string, most: number): number {
  const value = parsePositive(text, option, most);
  if (Number.isInteger(value)) return value;
  throw new UsageError(`${option} '${text}' is not a whole number`);
}

/** Parses `TERM`, `SIGTERM` or `15`. */
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

/** Parses `all`, `first`, or a container's name, which must be one of `names`. */
export function parseUntil(text: string, names: readonly string[]): Until {
  const name = nameAmong(names, text);
  if (name !== undefined) return { name };
  if (text === "all" || text === "first") return text;
  throw new UsageError(
    `--until '${text}' is neither 'all', 'first' nor a command's name (${names.join(", ")})`,
  );
}

/**
 * Checks a user or group: a name must exist, a number need not. Returns a known user's name in
 * place of the number.
 */
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

/** The name of this user or group in the system's database; undefined if there is none. */
function nameInDatabase(kind: "user" | "group", key: string): string | undefined {
  const database = kind === "user" ? "passwd" : "group";
  const { status, stdout } = spawnSync("getent", ["--", database, key], { encoding: "utf8" });
  return status === 0 ? stdout.split(":")[0] : undefined;
}

/**
 * The default group of a user: the user's own, so that no command keeps the caller's group. For a
 * number without a user, it is the group of the same number.
 */
export function primaryGroupOf(user: string): string {
  const { status, stdout } = spawnSync("id", ["-g", "--", user], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : user;
}

export interface SubnetOptions {
  readonly subnet: string;
  readonly subnet6?: string | undefined;
  /** commander represents `--no-ipv6` as `false`. */
  readonly ipv6: boolean;
}

/**
 * Parses the subnets of a run: the given one and, for IPv4, an IPv6 subnet unless it is declined.
 */
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
