/**
 * The check sum of data-sum.ts by vector instructions, for whole blocks of records: 16 bytes at a time,
 * one addition for all four sums and one for the sums of sums. JavaScript has no vectors, but the
 * WebAssembly in it has. It sees only memory of its own, so that is where the dump's ring lies.
 *
 * Over 16 MiB of memory, by CPU time, on the machine of docs/benchmarks.md while it was busy: 12 to 16 GB/s. The same in
 * plain TypeScript did 2.5 to 3, zlib's CRC-32 as much.
 */
import { continueSum, laneSumsBytes, sumWords } from "./data-sum.ts";

/** Memory that vector instructions can work in, and threads can share: structured clone passes it over as it is. */
export interface SummableMemory {
  readonly buffer: SharedArrayBuffer;
}

/** The part of WebAssembly's interface that is used here; its types come with those for browsers, not with Node's. */
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

/** The check sum of the bytes from one place of the memory to another; both are multiples of 4. */
export type SumRange = (from: number, to: number) => number;

const pageBytes = 0x1_0000;
const vectorBytes = 16;

/** At least `lengthBytes`, and behind them room for {@link sumIn} to work. */
export function createSummableMemory(lengthBytes: number): SummableMemory {
  const pages = Math.ceil((lengthBytes + laneSumsBytes) / pageBytes);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * Sums what lies in `memory`, one range at a time. Places are counted from `baseBytes`, a multiple of 16. Only
 * one thread may.
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

/** A section of a module: its number, its length, its content (all of them are short, so lengths are one byte). */
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
 * The function, as WebAssembly's text format has it:
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

/** The module (WebAssembly core specification, section 5.5): one type, the memory imported, one function, exported. */
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
