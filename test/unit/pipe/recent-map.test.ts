import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentMap } from "../../../src/pipe/core/recent-map.ts";

const leastKept = 4;
const keys = Array.from({ length: 12 }, (_, i) => `key ${i}`);

/** An entry's name, its number in the order of arrival, and whether it must stay. */
interface Entry {
  readonly key: string;
  readonly number: number;
  mustStay: boolean;
}

const arrivals = fc.array(fc.record({ key: fc.constantFrom(...keys), mustStay: fc.boolean() }), {
  maxLength: 60,
});

describe("a recent map", () => {
  it("knows the last entries and those that must stay, and never an outdated one", () => {
    fc.assert(
      fc.property(arrivals, (steps) => {
        const map = new RecentMap<Entry>(leastKept, ({ mustStay }) => mustStay);
        const all = new Map<string, Entry>();
        steps.forEach((step, number) => {
          const entry = { ...step, number };
          // Set anew, a key counts as the youngest.
          all.delete(entry.key);
          all.set(entry.key, entry);
          map.set(entry.key, entry);
        });
        for (const [key, entry] of all) expect([entry, undefined]).toContain(map.get(key));
        const kept = [...all.values()].filter(
          (entry, i) => entry.mustStay || i >= all.size - leastKept,
        );
        for (const entry of kept) expect(map.get(entry.key)).toBe(entry);
        const known = [...all.values()].filter(({ key }) => map.get(key) !== undefined);
        expect([...map.values()].toSorted(byNumber)).toEqual(known.toSorted(byNumber));
      }),
    );
  });

  it("forgets what is long ago", () => {
    const map = new RecentMap<number>(leastKept, (value) => value === 1);
    for (let i = 0; i < 100; i++) map.set(`${i}`, i);
    expect([...map.values()].length).toBeLessThanOrEqual(2 * leastKept + 1);
    expect(map.get("1")).toBe(1);
    expect(map.get("2")).toBeUndefined();
  });
});

function byNumber(a: Entry, b: Entry): number {
  return a.number - b.number;
}
