/**
 * The checksum of data-sum.ts with vector instructions, for whole blocks of records: 16 bytes at a
 * time, with one addition for all four sums and one for the sums of sums. JavaScript has no
 * vectors, but WebAssembly has. WebAssembly sees only its own memory, so the dump's ring is in such
 * memory.
 *
 * Measured over 16 MiB by CPU time, on the machine of docs/benchmarks.md while it was busy: 12 to
 * 16 GB/s. The same in plain TypeScript reaches 2.5 to 3 GB/s, as does zlib's CRC-32.
 */
import { continueSum, laneSumsBytes, sumWords } from "./data-sum.ts";

/** Memory for vector instructions that threads can share; structured clone passes it on. */
export interface SummableMemory {
  readonly buffer: SharedArrayBuffer;
}

/** The part of WebAssembly used here; its types come with those of browsers, not with Node's. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => SummableMemory;
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly plg: { readonly memory: SummableMemory } },
  ) => { readonly exports: unknown };
  validate(code: Uint8Array): boolean;
};

/** The checksum of a range of the memory; both offsets are multiples of 4. */
export type SumRange = (from: number, to: number) => number;

const pageBytes = 0x1_0000;
const vectorBytes = 16;

/** Allocates at least `lengthBytes`, followed by scratch space for {@link sumIn}. */
export function createSummableMemory(lengthBytes: number): SummableMemory {
  const pages = Math.ceil((lengthBytes + laneSumsBytes) / pageBytes);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * Returns a function that sums ranges of `memory`, with offsets from `baseBytes`, a multiple of 16.
 * Only one thread may use it, because it uses the scratch space.
 */
export function sumIn(memory: SummableMemory, baseBytes: number): SumRange {
  const sum = sumInAll(memory);
  return (from, to) => sum(baseBytes + from, baseBytes + to);
}

function sumInAll(memory: SummableMemory): SumRange {
  const words = new Int32Array(memory.buffer);
  if (!WebAssembly.validate(code)) return (from, to) => sumWords(words, from / 4, to / 4);
  const { sumVectors } = new WebAssembly.Instance(new WebAssembly.Module(code), { plg: { memory } })
    .exports as { sumVectors: (from: number, to: number, sumsAt: number) => void };
  const sumsAt = memory.buffer.byteLength - laneSumsBytes;
  const sums = new Int32Array(memory.buffer, sumsAt, laneSumsBytes / 4);
  return (from, to) => {
    const vectorsEnd = to - ((to - from) % vectorBytes);
    sumVectors(from, vectorsEnd, sumsAt);
    return continueSum(words, vectorsEnd / 4, to / 4, sums);
  };
}

/**
 * A section of a module: its number, its length and its content. All are short: lengths are one
 * byte.
 */
const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content];
const text = (value: string): number[] => [value.length, ...new TextEncoder().encode(value)];
const [i32, v128] = [0x7f, 0x7b];
const [from, to, sumsAt, sums, sumsOfSums] = [0, 1, 2, 3, 4];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
/** Sets a local and leaves the value on the stack. */
const tee = (local: number): number[] => [0x22, local];
const load = [0xfd, 0x00, 0, 0];
const store = (offset: number): number[] => [0xfd, 0x0b, 0, offset];
const add = [0xfd, 0xae, 0x01];

/**
 * The function, in WebAssembly's text format:
 *
 *   (func (param $from i32) (param $to i32) (param $sumsAt i32) (local $sums v128) (local $sumsOfSums v128)
 *     (block (loop
 *       (br_if 1 (i32.ge_u (local.get $from) (local.get $to)))
 *       (local.tee $sums (i32x4.add (local.get $sums) (v128.load (local.get $from))))
 *       (local.set $sumsOfSums (i32x4.add (local.get $sumsOfSums)))
 *       (local.set $from (i32.add (local.get $from) (i32.const 16)))
 *       (br 0)))
 *     (v128.store (local.get $sumsAt) (local.get $sums))
 *     (v128.store offset=16 (local.get $sumsAt) (local.get $sumsOfSums)))
 */
// oxfmt-ignore
const body = [
  1, 2, v128,
  0x02, 0x40, 0x03, 0x40,
  ...get(from), ...get(to), 0x4f, 0x0d, 1,
  ...get(sums), ...get(from), ...load, ...add, ...tee(sums),
  ...get(sumsOfSums), ...add, ...set(sumsOfSums),
  ...get(from), 0x41, vectorBytes, 0x6a, ...set(from),
  0x0c, 0, 0x0b, 0x0b,
  ...get(sumsAt), ...get(sums), ...store(0),
  ...get(sumsAt), ...get(sumsOfSums), ...store(vectorBytes),
  0x0b,
];

/**
 * The module (WebAssembly core specification, section 5.5): one type, the imported memory, one
 * export.
 */
// oxfmt-ignore
const code = Uint8Array.of(
  // The magic number, and version 1.
  0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, 1, 0x60, 3, i32, i32, i32, 0),
  // Shared memory, with a minimum and a maximum: 0 pages, and 65,536.
  ...section(2, 1, ...text("plg"), ...text("memory"), 0x02, 0x03, 0, 0x80, 0x80, 0x04),
  ...section(3, 1, 0),
  ...section(7, 1, ...text("sumVectors"), 0x00, 0),
  ...section(10, 1, body.length, ...body),
);
