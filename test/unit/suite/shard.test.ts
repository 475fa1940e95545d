// Shards: each recording in one of them, and about as much in each.
import { array, assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { inShard, longestFirst } from "../../../src/suite/shard.ts";

const recordings = array(integer({ min: 0, max: 60_000 }), { maxLength: 60 }).map((durations) =>
  durations.map((durationMs, i) => ({ name: `${i}`, durationMs })),
);

const namesOf = (some: readonly { readonly name: string }[]) =>
  some.map(({ name }) => name).toSorted();

describe("shards", () => {
  test("have each recording once, whatever order the folder is read in", () => {
    assert(
      property(recordings, integer({ min: 1, max: 8 }), (all, count) => {
        const shards = Array.from({ length: count }, (_, i) =>
          inShard(all, { number: i + 1, count }),
        );
        expect(namesOf(shards.flat())).toEqual(namesOf(all));
        const reversed = inShard(all.toReversed(), { number: 1, count });
        expect(namesOf(reversed)).toEqual(namesOf(shards[0] ?? []));
      }),
    );
  });

  test("differ by one recording at most", () => {
    assert(
      property(recordings, integer({ min: 1, max: 8 }), (all, count) => {
        const totals = Array.from({ length: count }, (_, i) =>
          inShard(all, { number: i + 1, count }).reduce(
            (sum, one) => sum + one.durationMs + 300,
            0,
          ),
        );
        const longest = Math.max(0, ...all.map(({ durationMs }) => durationMs + 300));
        expect(Math.max(...totals) - Math.min(...totals)).toBeLessThanOrEqual(longest);
      }),
    );
  });

  test("and runs begin with the longest", () => {
    const all = [1, 3, 2].map((durationMs) => ({ name: String(durationMs), durationMs }));
    expect(longestFirst(all).map(({ name }) => name)).toEqual(["3", "2", "1"]);
  });
});
