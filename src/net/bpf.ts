/**
 * Classic BPF programs for the kernel's packet filters (Documentation/networking/filter.rst): one
 * accumulator, one index register, and jumps that only go forward.
 */
import { assert } from "../base/assert.ts";

/** <linux/bpf_common.h>, put together as programs need them. */
export const opcodes = {
  /** Loads from a fixed offset: `BPF_LD | BPF_H | BPF_ABS`, `BPF_LD | BPF_B | BPF_ABS`. */
  loadHalf: 0x28,
  loadByte: 0x30,
  /** `BPF_LD | BPF_W | BPF_ABS`. */
  loadWord: 0x20,
  /** Loads from the index and an offset: `BPF_LD | BPF_B | BPF_IND`. */
  loadByteIndexed: 0x50,
  /** Sets the index to the length of the IPv4 header at an offset: `BPF_LDX | BPF_B | BPF_MSH`. */
  indexHeaderLength: 0xb1,
  /** `BPF_ALU | BPF_AND | BPF_K`. */
  and: 0x54,
  /** `BPF_JMP | BPF_JEQ | BPF_K`, and the same with `BPF_JGT` and `BPF_JSET`. */
  ifEqual: 0x15,
  ifGreater: 0x25,
  ifAnySet: 0x45,
  /** `BPF_RET | BPF_K`. */
  return: 0x06,
} as const;

/** An operation, its operand and, for a condition, its targets; the default is the next line. */
type Instruction = readonly [
  operation: keyof typeof opcodes,
  value: number,
  labels?: { readonly yes?: string; readonly no?: string },
];
/** A string labels the instruction that follows it. */
export type Line = string | Instruction;

/**
 * Encodes the program for the kernel: `struct sock_filter` is code u16, two jumps u8, value u32.
 */
export function assemble(lines: readonly Line[]): Uint8Array {
  const places = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of lines)
    if (typeof line === "string") places.set(line, instructions.length);
    else instructions.push(line);
  const bytes = new Uint8Array(8 * instructions.length);
  const view = new DataView(bytes.buffer);
  instructions.forEach(([operation, value, labels], i) => {
    view.setUint16(8 * i, opcodes[operation], true);
    view.setUint8(8 * i + 2, distance(places, i, labels?.yes));
    view.setUint8(8 * i + 3, distance(places, i, labels?.no));
    view.setUint32(8 * i + 4, value, true);
  });
  return bytes;
}

/** How many instructions a jump skips. */
function distance(places: ReadonlyMap<string, number>, from: number, label?: string): number {
  const place = label === undefined ? from + 1 : places.get(label);
  assert(place !== undefined && place > from, `the label ${label} follows its jump`);
  return place - from - 1;
}

const ethernetBytes = 14;
const ipv6Bytes = 40;
const tcpFlagsAt = 13;
const tcp = 6;
const [syn, rst, ack] = [0x02, 0x04, 0x10];
const all = 0xffff_ffff;

/**
 * A program that tests the TCP flags of an Ethernet frame. `test` finds them in the accumulator and
 * jumps to `found` or `other`. Packets that are not TCP, and later fragments, go to `other`.
 */
function testingTcpFlags(test: readonly Line[]): Uint8Array {
  return assemble([
    ["loadHalf", 12],
    ["ifEqual", 0x0800, { yes: "ipv4" }],
    ["ifEqual", 0x86dd, { no: "other" }],
    ["loadByte", ethernetBytes + 6],
    ["ifEqual", tcp, { no: "other" }],
    ["loadByte", ethernetBytes + ipv6Bytes + tcpFlagsAt],
    ["ifEqual", 0, { yes: "test", no: "test" }],
    "ipv4",
    ["loadByte", ethernetBytes + 9],
    ["ifEqual", tcp, { no: "other" }],
    ["loadHalf", ethernetBytes + 6],
    ["ifAnySet", 0x1fff, { yes: "other" }],
    ["indexHeaderLength", ethernetBytes],
    ["loadByteIndexed", ethernetBytes + tcpFlagsAt],
    "test",
    ...test,
    "found",
    ["return", all],
    "other",
    ["return", 0],
  ]);
}

/** Matches packets that open or abort a TCP connection: a SYN without ACK, and any RST. */
export const connectionChange: Uint8Array = testingTcpFlags([
  ["ifAnySet", rst, { yes: "found" }],
  ["and", syn | ack],
  ["ifEqual", syn, { no: "other" }],
]);

/**
 * Matches RSTs without ACK: the answer to a packet that belongs to no connection (RFC 9293, 3.5.2).
 */
export const bareReset: Uint8Array = testingTcpFlags([
  ["and", rst | ack],
  ["ifEqual", rst, { no: "other" }],
]);

/** Matches every packet. */
export const everything: Uint8Array = assemble([["return", all]]);
