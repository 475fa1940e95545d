/** Addresses as text: reads RFC 4291 section 2.2 and dotted IPv4, writes RFC 5952. */

import type { Family } from "../base/units.ts";
import { read16, read8, write16 } from "./wire.ts";

/** The length of an address: 4 or 16 bytes. */
export function addressBytesOf(family: Family): number {
  return family === 4 ? 4 : 16;
}

/** Parses an address into 4 or 16 bytes. Returns undefined if `text` is not an address. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/** Formats the address at `at`. */
export function formatAddress(bytes: Uint8Array, at: number, family: Family): string {
  return family === 4 ? formatIpv4(bytes, at) : formatIpv6(bytes, at);
}

// Leading zeros are refused: some programs read 010 as eight, others as ten.
const octet = /^(0|[1-9]\d{0,2})$/;

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => octet.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  // "::" stands for at least one group; without it, no group may be missing.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = new Uint8Array(16);
  [...head, ...Array<number>(missing).fill(0), ...tail].forEach((group, i) =>
    write16(bytes, 2 * i, group),
  );
  return bytes;
}

/** The groups on one side of "::". Only the last side may end in dotted IPv4. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    const dotted = last && i === parts.length - 1 ? parseIpv4(part) : undefined;
    if (dotted !== undefined) groups.push(read16(dotted, 0), read16(dotted, 2));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function formatIpv4(bytes: Uint8Array, at: number): string {
  return [0, 1, 2, 3].map((i) => read8(bytes, at + i)).join(".");
}

function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => read16(bytes, at + 2 * i));
  // RFC 5952 section 5: mixed notation where the prefix marks an embedded IPv4 address.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(bytes, at + 12)}`;
  }
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

/** RFC 5952 section 4.2: "::" replaces the longest run of zero groups, the first one in a tie. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [i, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: i + 1 - length, length };
  }
  return best;
}

function hex(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}
