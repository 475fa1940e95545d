/**
 * Parses option values. Each function returns the value or throws a {@link UsageError} that says
 * how to fix it.
 */
import { constants } from "node:os";
import { UsageError } from "../../base/errors.ts";

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
