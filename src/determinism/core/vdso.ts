/**
 * The vDSO (vdso(7)) is a small library that the kernel maps into every process. Since glibc 2.41,
 * random bytes come from it without a system call. So plg overwrites its function with a stub that
 * makes the call. All 64-bit processes of a machine share one image, so plg looks up its symbols
 * once.
 */

/** Offsets in ELF64 structures, from <elf.h>. */
const header = { sectionsAt: 40, sectionBytesAt: 58, sectionCountAt: 60 } as const;
const section = { typeAt: 4, offsetAt: 24, sizeAt: 32, linkAt: 40 } as const;
const symbol = { sizeBytes: 24, valueAt: 8 } as const;
const SHT_DYNSYM = 11;

/** The offsets of a vDSO's functions from its start. Empty if it is not a readable ELF file. */
export function vdsoSymbols(image: DataView): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    for (const [name, value] of symbolsOf(image)) found.set(name, value);
  } catch (error) {
    // The image claims to be longer than it is.
    if (!(error instanceof RangeError)) throw error;
  }
  return found;
}

function* symbolsOf(image: DataView): Generator<readonly [name: string, value: number]> {
  const word = (at: number): number => Number(image.getBigUint64(at, true));
  const sizeBytes = image.getUint16(header.sectionBytesAt, true);
  const sectionAt = (i: number): number => word(header.sectionsAt) + i * sizeBytes;
  const count = image.getUint16(header.sectionCountAt, true);
  for (let i = 0; i < count; i++) {
    const table = sectionAt(i);
    if (image.getUint32(table + section.typeAt, true) !== SHT_DYNSYM) continue;
    const namesSection = sectionAt(image.getUint32(table + section.linkAt, true));
    const names = word(namesSection + section.offsetAt);
    const from = word(table + section.offsetAt);
    const end = from + word(table + section.sizeAt);
    for (let at = from; at < end; at += symbol.sizeBytes) {
      const name = textAt(image, names + image.getUint32(at, true));
      yield [name, word(at + symbol.valueAt)];
    }
  }
}

/** Reads a zero-terminated text. */
function textAt(image: DataView, from: number): string {
  let text = "";
  for (let at = from; image.getUint8(at) !== 0; at++)
    text += String.fromCodePoint(image.getUint8(at));
  return text;
}
