/** Formats figures for people. */

/** Bytes in decimal units, three digits: `1.23 MB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, ["B", "kB", "MB", "GB", "TB"]);
}

/** A rate in bits per second: `9.82 Mb/s`. */
export function formatRate(bytesPerSecond: number): string {
  return scaled(bytesPerSecond * 8, ["b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"]);
}

/** `0.42 s`, `12.3 s`, `4 min 05 s`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  // The thresholds account for rounding: 59.97 s must not print as "60.0 s".
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** The time between a question and its answer: `0.34 ms`, `7 ms`, `12.3 s`. */
export function formatLatency(nanoseconds: number): string {
  const milliseconds = nanoseconds / 1e6;
  if (milliseconds < 0.995) return `${milliseconds.toFixed(2)} ms`;
  return milliseconds < 9999.5 ? `${milliseconds.toFixed(0)} ms` : formatDuration(milliseconds);
}

/** `1 command`, `2 commands`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function scaled(value: number, units: readonly string[]): string {
  let left = value;
  let unit = 0;
  while (left >= 999.5 && unit < units.length - 1) {
    left /= 1000;
    unit++;
  }
  const digits = unit === 0 || left >= 99.95 ? 0 : left >= 9.995 ? 1 : 2;
  return `${left.toFixed(digits)} ${units[unit]}`;
}
