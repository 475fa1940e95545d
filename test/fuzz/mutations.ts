/** Changes to the bytes of a dump: small ones, and such as keep its blocks whole. */
import { mostBytes } from "./shared.ts";
import { BlockBuilder, BlockType, OptionCode, paddedTo4 } from "../../src/dump/format/pcapng.ts";
import { blocksOf, type Repair, repair } from "./repair.ts";

/** Decides: a whole number from 0 to below `below`. */
export type Choose = (below: number) => number;

/**
 * One to eight changes, and then a repair or none. `others` are dumps that blocks may be taken
 * from.
 */
export function mutate(
  bytes: Uint8Array,
  others: readonly Uint8Array[],
  choose: Choose,
): Uint8Array {
  let changed = bytes;
  for (let left = 1 << choose(4); left > 0; left--) {
    const change = changes[choose(changes.length)] as Change;
    changed = change(changed, choose, others[choose(others.length)] as Uint8Array);
    if (changed.length > mostBytes) changed = changed.subarray(0, mostBytes);
  }
  const how = (["none", "sums", "streams", "streams"] satisfies Repair[])[choose(4)] as Repair;
  return repair(Uint8Array.from(changed), how);
}

type Change = (bytes: Uint8Array, choose: Choose, other: Uint8Array) => Uint8Array;

const changes: readonly Change[] = [
  flipBit,
  setWord,
  setWord,
  cut,
  takeOut,
  spliceBlocks,
  doubleBlock,
  moveBlock,
  editText,
  editJson,
  editJson,
  resizeBlock,
];

/** Sizes, offsets, counts and codes that are likely to be someone's border. */
const interesting = [
  0, 1, 2, 3, 4, 7, 8, 12, 28, 44, 54, 72, 74, 127, 255, 1000, 4000, 4096, 0x7fff, 0xffff, 0x1_0000,
  0x10_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff, 0x0a0d_0d0a, 0x8050_4c47, 6, 5,
];

/** What stands in the JSON, the names and the commands: and what may be made of it. */
const texts = [
  '"',
  "{",
  "[[[[[[[[",
  "null",
  "-1",
  "1e400",
  "9007199254740993",
  "__proto__",
  "constructor",
  "\u001b[2J\u001b]52;c;cm0=\u0007",
  "\u009b31m",
  "\u202e",
  "10.0.0.0/31",
  "10.0.0.0/30",
  "fd00::/64",
  "localhost",
  "SIGKILL",
  "stoppedAtNs",
];

function placeIn(bytes: Uint8Array, choose: Choose): number {
  return choose(Math.max(1, bytes.length));
}

function flipBit(bytes: Uint8Array, choose: Choose): Uint8Array {
  const changed = bytes.slice();
  const at = placeIn(bytes, choose);
  changed[at] = (changed[at] ?? 0) ^ (1 << choose(8));
  return changed;
}

/** A field of 1, 2 or 4 bytes, at a place where fields are. */
function setWord(bytes: Uint8Array, choose: Choose): Uint8Array {
  const changed = bytes.slice();
  const lengthBytes = 1 << choose(3);
  const blocks = blocksOf(bytes);
  const { at = 0, lengthBytes: most = bytes.length } =
    blocks[choose(Math.max(1, blocks.length))] ?? {};
  const place = at + choose(Math.max(1, most)) - (choose(2) === 0 ? 0 : at % lengthBytes);
  const value = choose(3) === 0 ? choose(256) : (interesting[choose(interesting.length)] as number);
  for (let i = 0; i < lengthBytes && place + i < changed.length; i++)
    changed[place + i] = value / 2 ** (8 * i);
  return changed;
}

function cut(bytes: Uint8Array, choose: Choose): Uint8Array {
  return bytes.slice(0, placeIn(bytes, choose));
}

function takeOut(bytes: Uint8Array, choose: Choose): Uint8Array {
  const from = placeIn(bytes, choose);
  return join(bytes.subarray(0, from), bytes.subarray(from + 4 * choose(40)));
}

function spliceBlocks(bytes: Uint8Array, choose: Choose, other: Uint8Array): Uint8Array {
  const [mine, theirs] = [blocksOf(bytes), blocksOf(other)];
  const here = mine[choose(Math.max(1, mine.length))]?.at ?? 0;
  const from = choose(Math.max(1, theirs.length));
  const run = theirs.slice(from, from + 1 + choose(4));
  const end = run.at(-1);
  const piece = other.subarray(run[0]?.at ?? 0, end ? end.at + end.lengthBytes : 0);
  return join(bytes.subarray(0, here), piece, bytes.subarray(here));
}

function doubleBlock(bytes: Uint8Array, choose: Choose): Uint8Array {
  const blocks = blocksOf(bytes);
  const { at = 0, lengthBytes = 0 } = blocks[choose(Math.max(1, blocks.length))] ?? {};
  const block = bytes.subarray(at, at + lengthBytes);
  const copies = Array.from({ length: 1 + choose(20) }, () => block);
  return join(bytes.subarray(0, at), ...copies, bytes.subarray(at));
}

function moveBlock(bytes: Uint8Array, choose: Choose): Uint8Array {
  const blocks = blocksOf(bytes);
  const { at = 0, lengthBytes = 0 } = blocks[choose(Math.max(1, blocks.length))] ?? {};
  const without = join(bytes.subarray(0, at), bytes.subarray(at + lengthBytes));
  const to = blocks[choose(Math.max(1, blocks.length))]?.at ?? 0;
  return join(without.subarray(0, to), bytes.subarray(at, at + lengthBytes), without.subarray(to));
}

/** Writes a text over a place, most often one where there is text. */
function editText(bytes: Uint8Array, choose: Choose): Uint8Array {
  const changed = bytes.slice();
  const text = new TextEncoder().encode(texts[choose(texts.length)]);
  const header = Math.max(1, Math.min(bytes.length - text.length, choose(3) === 0 ? 4096 : 900));
  const at = choose(header);
  changed.set(text.subarray(0, Math.max(0, changed.length - at)), at);
  return changed;
}

const values: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1,
  3,
  255,
  256,
  4000,
  4001,
  65_536,
  2 ** 53,
  "",
  "0",
  "9".repeat(19),
  "\u001b[2J",
  [],
  {},
  ["10.0.0.0/30"],
  ["10.0.0.0/24"],
  ["fd70:6c67:a00::/64"],
  ["10.0.0.0/24", "10.0.0.0/24"],
  JSON.parse(`${"[".repeat(3000)}${"]".repeat(3000)}`),
  JSON.parse('{ "__proto__": { "x": 1 }, "constructor": 1 }'),
];

/**
 * Puts another value in the place of one that the section or the end of a command is described by.
 */
function editJson(bytes: Uint8Array, choose: Choose): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const described = blocksOf(bytes).filter(
    ({ at, lengthBytes }) => lengthBytes >= 44 && commentAt.has(view.getUint32(at, true)),
  );
  const block = described[choose(Math.max(1, described.length))];
  if (block === undefined) return bytes;
  const { at, lengthBytes } = block;
  const optionAt = at + (commentAt.get(view.getUint32(at, true)) as number);
  const commentBytes = view.getUint16(optionAt + 2, true);
  const facts = readJson(bytes.subarray(optionAt + 4, optionAt + 4 + commentBytes));
  const keys = [...Object.keys(facts), "exitCode", "signal", "stoppedAtNs", "lastedNs"];
  facts[keys[choose(keys.length)] as string] = values[choose(values.length)];
  const changed = new BlockBuilder(view.getUint32(at, true));
  for (let field = at + 8; field < optionAt; field += 4) changed.u32(view.getUint32(field, true));
  changed.text(OptionCode.comment, JSON.stringify(facts));
  const rest = optionAt + 4 + paddedTo4(commentBytes);
  for (let field = rest; field + 16 < at + lengthBytes; field += 4)
    changed.u32(view.getUint32(field, true));
  return join(bytes.subarray(0, at), changed.finish(), bytes.subarray(at + lengthBytes));
}

/** Where the comment begins in the blocks whose first option it is. */
const commentAt: ReadonlyMap<number, number> = new Map([
  [BlockType.sectionHeader, 24],
  [BlockType.interfaceStatistics, 20],
]);

/** The JSON object in `bytes`, or an empty one if there is none any more. */
function readJson(bytes: Uint8Array): Record<string, unknown> {
  try {
    return { ...(JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>) };
  } catch {
    return {};
  }
}

/** A longer or shorter body, with the length that it has then. */
function resizeBlock(bytes: Uint8Array, choose: Choose): Uint8Array {
  const blocks = blocksOf(bytes);
  const { at = 0, lengthBytes = 0 } = blocks[choose(Math.max(1, blocks.length))] ?? {};
  const inside = at + 8 + 4 * choose(Math.max(1, (lengthBytes - 12) >> 2));
  const isLonger = choose(2) === 0;
  const by = 4 * (1 + choose(64));
  const rest = bytes.subarray(isLonger ? inside : Math.min(at + lengthBytes, inside + by));
  const changed = join(bytes.subarray(0, inside), new Uint8Array(isLonger ? by : 0), rest);
  const now = lengthBytes + changed.length - bytes.length;
  if (at + 8 <= changed.length) new DataView(changed.buffer).setUint32(at + 4, now, true);
  return changed;
}

function join(...pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
