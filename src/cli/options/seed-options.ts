/** The options `--seed` and `--no-seed`. A run's random choices follow from the seed. */
import type { Command as Cli } from "commander";
import { seedOf } from "../../api/settings.ts";
import { UsageError } from "../../base/errors.ts";

export interface SeedFlags {
  /** commander represents `--no-seed` as `false`. */
  readonly seed?: string | false;
}

/** Adds both options. `meaning` describes `--seed`. */
export function addSeedFlags(cli: Cli, meaning: string): Cli {
  return cli
    .option("--seed <n>", meaning)
    .option("--no-seed", "give the commands real random bytes");
}

/** Returns the given seed, or a fresh one. */
export function parseSeed({ seed: text }: SeedFlags): number {
  if (text === undefined || text === false) return seedOf(text);
  const seed = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(seed)) return seed;
  throw new UsageError(`--seed '${text}' is not a whole number up to ${Number.MAX_SAFE_INTEGER}`);
}
