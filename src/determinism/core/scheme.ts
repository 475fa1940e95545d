/** A dump's notes on a seeded run: the seed, and how bytes follow from it. */

/**
 * The version of how random bytes follow from a seed (streams.ts) and are assigned to processes
 * (processes.ts). Any change needs a new number.
 */
const seedingScheme = 1;

type Notes = Readonly<Record<string, string | number | boolean>>;

/** The notes of a run whose commands' random bytes follow from `seed`. */
export function seedingNotes(seed: number): Notes {
  return { seed, randomBytes: seedingScheme };
}

/**
 * The seed of the recorded commands' random bytes. Undefined if the bytes came from the kernel, and
 * "unknown" if another version of the scheme applies.
 */
export function recordedSeed({ seed, randomBytes }: Notes): number | "unknown" | undefined {
  if (randomBytes === undefined) return undefined;
  return randomBytes === seedingScheme && typeof seed === "number" ? seed : "unknown";
}
