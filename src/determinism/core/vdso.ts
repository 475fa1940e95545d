/**
 * The vDSO (vdso(7)): a small library that the kernel maps into every process. From glibc 2.41 on, random bytes
 * come from there without a system call. So plg writes over its function a stub that makes the call. The image is the
 * same for all 64-bit processes of a machine, so its symbols are looked up once.
 */

/** ELF64, as in <elf.h>. */
const header = { sectionsAt: 40, sectionBytesAt: 58, sectionCountAt: 60 } as const;
const section = { typeAt: 4, offsetAt: 24, sizeAt: 32, linkAt: 40 } as const;
const symbol = { sizeBytes: 24, valueAt: 8 } as const;
const SHT_DYNSYM = 11;

/** Where the functions of a vDSO begin, from its own start. Empty if it is no ELF file that one can read. */
export function vdsoSymbols(image: DataView): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    for (const [name, value] of symbolsOf(image)) found.set(name, value);
  } catch (error) {
    // It claims to be longer than it is.
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

/** Up to the zero that ends it. */
function textAt(image: DataView, from: number): string {
  let text = "";
  for (let at = from; image.getUint8(at) !== 0; at++)
    text += String.fromCodePoint(image.getUint8(at));
  return text;
}
