/**
 * Which part of a program makes a call: return addresses from its stack, as places in files of code.
 * They are the same whichever thread or goroutine makes the call, and wherever the files are mapped.
 *
 * Without unwinding there is no telling a return address from one that an earlier call left behind,
 * and which of those remain depends on as little as the length of the environment. The nearest one
 * is the caller of the C library. Go, and whatever else makes its own system calls, has one caller
 * for all random numbers; there, the nearest four tell goroutines apart, and six have picked up
 * stale ones (docs/determinism.md).
 */
import type { Mappings } from "./mappings.ts";

/** So much of the stack is looked at. */
export const stackBytes = 1024;

const placesOfLibraryCalls = 1;
const placesOfOwnCalls = 4;

/** The part of a stack that was read, from its pointer on. */
export interface Stack {
  readonly words: DataView;
  readonly lengthBytes: number;
  /** Where the system call is made. */
  readonly instruction: number;
}

/** The call site, or the empty text if nothing on the stack points into code. */
export function callSite(stack: Stack, mappings: Mappings): string {
  return placesOn(stack, mappings).join(" ");
}

/**
 * A word among those that {@link callSite} looks at which may point into something that was mapped
 * after the mappings were listed. None of `strays` counts: they are known to point nowhere.
 */
export function unmappedWord(
  stack: Stack,
  mappings: Mappings,
  strays: ReadonlySet<number>,
): number | undefined {
  let unmapped: number | undefined;
  placesOn(stack, mappings, (word) => {
    const isAddress = word >= lowestAddress && word < highestAddress;
    if (isAddress && !mappings.has(word) && !strays.has(word)) unmapped ??= word;
  });
  return unmapped;
}

/** User space is of 47 bits on x86-64, and libraries lie in its upper half; of 39 at least on arm64. */
const lowestAddress = 0x40_0000_0000;
const highestAddress = 0x8000_0000_0000;

function placesOn(
  { words, lengthBytes, instruction }: Stack,
  mappings: Mappings,
  onOther?: (word: number) => void,
): string[] {
  const found: string[] = [];
  const { program } = mappings;
  const isOwn = (mappings.fileAt(instruction) ?? program) === program;
  let wanted = placesOfOwnCalls;
  for (let at = 0; at + 8 <= lengthBytes && found.length < wanted; at += 8) {
    const word = words.getUint32(at + 4, true) * 2 ** 32 + words.getUint32(at, true);
    const place = mappings.codeAt(word);
    if (place === undefined) onOther?.(word);
    else if (found.push(place) === 1 && !(isOwn && mappings.fileAt(word) === program))
      wanted = placesOfLibraryCalls;
  }
  return found;
}
