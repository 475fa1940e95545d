/** Timestamps of pcapng: 64 bits, in units that each interface chooses (`if_tsresol`). */

/** The time format of an interface. */
export interface Resolution {
  /** Units in a second: a power of 10 or of 2. */
  readonly unitsPerSecond: number;
  /** `if_tsoffset`: added to every time. */
  readonly offsetSeconds: number;
}

/** Microseconds: the default. */
export const noResolution: Resolution = { unitsPerSecond: 1e6, offsetSeconds: 0 };

/** The most decimal and binary digits of a second's fraction that are supported. */
const mostDigits = 18;
const mostBits = 62;

/** Decodes the option's byte: the top bit selects 2 or 10 as the base. */
export function resolutionOf(option: number, offsetSeconds: number): Resolution {
  const exponent = option & 0x7f;
  const unitsPerSecond =
    (option & 0x80) === 0
      ? 10 ** Math.min(exponent, mostDigits)
      : 2 ** Math.min(exponent, mostBits);
  return { unitsPerSecond, offsetSeconds };
}

const high32 = 2 ** 32;
/** In the year 2262: the most that 63 bits of nanoseconds count. Later times are damage. */
const latestSeconds = 9_223_372_035;

/**
 * Splits a time, given as the words `high` and `low`, into seconds and nanoseconds, exactly. Times
 * outside the years 1970 to 2262 become the nearest one inside.
 */
export function splitTime(
  high: number,
  low: number,
  resolution: Resolution,
  out: { seconds: number; nanoseconds: number },
): void {
  split(high, low, resolution, out);
  out.seconds = Math.min(Math.max(out.seconds, 0), latestSeconds);
}

function split(
  high: number,
  low: number,
  { unitsPerSecond, offsetSeconds }: Resolution,
  out: { seconds: number; nanoseconds: number },
): void {
  const units = high * high32 + low;
  if (units <= Number.MAX_SAFE_INTEGER) {
    const seconds = Math.floor(units / unitsPerSecond);
    out.seconds = seconds + offsetSeconds;
    out.nanoseconds = Math.floor(((units - seconds * unitsPerSecond) * 1e9) / unitsPerSecond);
  } else if (unitsPerSecond === 1e9) {
    splitNanoseconds(units, low, out);
    out.seconds += offsetSeconds;
  } else {
    const whole = (BigInt(high) << 32n) | BigInt(low);
    const per = BigInt(unitsPerSecond);
    out.seconds = Number(whole / per) + offsetSeconds;
    out.nanoseconds = Number(((whole % per) * 1_000_000_000n) / per);
  }
}

/**
 * Current times in nanoseconds need 61 bits. A double is off by some hundreds of nanoseconds, so
 * the quotient may be off by one. The remainder is below 2^32 and follows exactly from the low
 * words.
 */
function splitNanoseconds(
  approximate: number,
  low: number,
  out: { seconds: number; nanoseconds: number },
): void {
  let seconds = Math.floor(approximate / 1e9);
  let nanoseconds = (low - Math.imul(seconds, 1e9)) >>> 0;
  if (nanoseconds >= 3e9) {
    seconds--;
    nanoseconds = (nanoseconds + 1e9) >>> 0;
  } else if (nanoseconds >= 1e9) {
    seconds++;
    nanoseconds -= 1e9;
  }
  out.seconds = seconds;
  out.nanoseconds = nanoseconds;
}
