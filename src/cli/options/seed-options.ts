/** The options `--seed` and `--no-seed`: the one number that a run's chance follows from. */
import { randomInt } from "node:crypto";
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";

export interface SeedFlags {
  /** commander's way to say `--no-seed` is `false`. */
  readonly seed?: string | false;
}

/** Adds both options; `meaning` describes the first. */
export function addSeedFlags(cli: Cli, meaning: string): Cli {
  return cli
    .option("--seed <n>", meaning)
    .option("--no-seed", "give the commands real random bytes");
}

/** The largest number that `randomInt` draws from: nobody guesses a seed of 48 bits. */
const freshSeeds = 2 ** 48 - 1;

/** The seed that was given, or a fresh one. */
export function parseSeed({ seed: text }: SeedFlags): number {
  if (text === undefined || text === false) return randomInt(freshSeeds);
  const seed = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(seed)) return seed;
  throw new UsageError(`--seed '${text}' is not a whole number up to ${Number.MAX_SAFE_INTEGER}`);
}
