/**
 * Identifies the part of a program that makes a call, by return addresses on its stack, as places
 * in files of code. They are independent of the thread or goroutine, and of where the files are
 * mapped.
 *
 * Without unwinding, a return address looks the same as one that an earlier call left behind, and
 * even the size of the environment decides which of those remain. The nearest one is the caller of
 * the C library. Go, and any other program that makes its own system calls, has one caller for all
 * random numbers. There, the nearest four distinguish goroutines, while six have picked up stale
 * ones (docs/determinism.md).
 */
import type { Mappings } from "./mappings.ts";

/** The bytes of the stack that are searched. */
export const stackBytes = 1024;

const placesOfLibraryCalls = 1;
const placesOfOwnCalls = 4;

/** The part of a stack that was read, from its stack pointer on. */
export interface Stack {
  readonly words: DataView;
  readonly lengthBytes: number;
  /** The address of the system call. */
  readonly instruction: number;
}

/** The call site; empty if nothing on the stack points into code. */
export function callSite(stack: Stack, mappings: Mappings): string {
  return placesOn(stack, mappings).join(" ");
}

/**
 * Returns a word among those used by {@link callSite} that may point into memory mapped after the
 * mappings were listed. `strays` are known to point nowhere and are skipped.
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

/** User space has 47 bits on x86-64, with libraries in its upper half, and at least 39 on arm64. */
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
