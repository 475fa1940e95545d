/** What a dump notes of a seeded run: the seed, and how bytes follow from it. */

/** How random bytes follow from a seed (streams.ts), and which ones a process gets (processes.ts). A change is a new number. */
const seedingScheme = 1;

type Notes = Readonly<Record<string, string | number | boolean>>;

/** The notes of a run whose commands' random bytes follow from `seed`. */
export function seedingNotes(seed: number): Notes {
  return { seed, randomBytes: seedingScheme };
}

/**
 * The seed that the recorded commands' random bytes follow from; undefined if they were the kernel's, and
 * "unknown" if they follow in a way of another version.
 */
export function recordedSeed({ seed, randomBytes }: Notes): number | "unknown" | undefined {
  if (randomBytes === undefined) return undefined;
  return randomBytes === seedingScheme && typeof seed === "number" ? seed : "unknown";
}
