/** The auxiliary vector of a 64-bit process in /proc/PID/auxv: pairs of words (getauxval(3)). */

// <elf.h>
export const AT_RANDOM = 25;
export const AT_SYSINFO_EHDR = 33;

const entryBytes = 16;

/** The value of this type; undefined if the vector has none. */
export function auxiliaryValue(vector: DataView, type: number): number | undefined {
  for (let at = 0; at + entryBytes <= vector.byteLength; at += entryBytes)
    if (vector.getBigUint64(at, true) === BigInt(type))
      return Number(vector.getBigUint64(at + 8, true));
  return undefined;
}
