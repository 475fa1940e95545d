/** Which of a suite's recordings run on which machine. Pure. */

/** Part `number` of `count`, from 1. */
export interface Shard {
  readonly number: number;
  readonly count: number;
}

/** A recording, by its path below the suite's folder. */
export interface Timed {
  readonly name: string;
  readonly durationMs: number;
}

/**
 * The recordings of a shard. The longest goes first, each to the shard that has the least to do, so
 * the shards take about the same time. All machines come to the same split, because it follows from
 * the recordings alone.
 */
export function inShard<T extends Timed>(all: readonly T[], { number, count }: Shard): T[] {
  const shards = Array.from({ length: count }, () => ({ totalMs: 0, members: [] as T[] }));
  for (const one of longestFirst(all)) {
    const least = shards.reduce((best, shard) => (shard.totalMs < best.totalMs ? shard : best));
    // Even an empty recording takes a start.
    least.totalMs += one.durationMs + startMs;
    least.members.push(one);
  }
  return shards[number - 1]?.members ?? [];
}

/** The time to start a replay. */
const startMs = 300;

/** The longest first, so that a run in parallel does not end with a long one alone. */
export function longestFirst<T extends Timed>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => b.durationMs - a.durationMs || (a.name < b.name ? -1 : 1));
}
