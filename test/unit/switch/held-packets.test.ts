import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeldPackets } from "../../../src/switch/core/held-packets.ts";

/** The same with a list that is searched. */
class NaivelyHeld {
  readonly #held: { dueMs: number; slot: number }[] = [];

  hold(dueMs: number, slot: number): void {
    this.#held.push({ dueMs, slot });
  }

  take(nowMs: number): number {
    const dueMs = Math.min(...this.#held.map((packet) => packet.dueMs));
    if (!(dueMs <= nowMs)) return -1;
    const first = this.#held.findIndex((packet) => packet.dueMs === dueMs);
    return this.#held.splice(first, 1)[0]?.slot ?? -1;
  }

  get isHeld(): readonly number[] {
    return this.#held.map(({ slot }) => slot);
  }
}

describe("held packets", () => {
  it("come out at their time, and in the order in which they went in where that is the same", () => {
    const held = new HeldPackets(8);
    const slots = [3, 1, 3, 2, 1].map((dueMs) => held.hold(dueMs));
    expect(new Set(slots).size).toBe(5);
    expect([held.count, held.nextDueMs]).toEqual([5, 1]);
    expect(held.take(0.5)).toBe(-1);
    expect([held.take(1), held.take(1), held.take(1)]).toEqual([slots[1], slots[4], -1]);
    expect([held.take(9), held.take(9), held.take(9)]).toEqual([slots[3], slots[0], slots[2]]);
    expect([held.count, held.nextDueMs, held.take(9)]).toEqual([0, Infinity, -1]);
  });

  it("are refused when all slots are taken, until one is free", () => {
    const held = new HeldPackets(2);
    expect([held.hold(1) < 0, held.hold(2) < 0, held.hold(3) < 0]).toEqual([false, false, true]);
    const slot = held.take(1);
    expect(held.hold(3)).toBe(slot);
    expect(held.hold(4)).toBe(-1);
  });

  it("as a naive twin has it, whatever is done", () => {
    const hold = fc.record({ hold: fc.nat(20) });
    const take = fc.record({ take: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(fc.oneof(hold, take), { maxLength: 200 }), (steps) => {
        const held = new HeldPackets(16);
        const twin = new NaivelyHeld();
        for (const step of steps) {
          if ("take" in step) {
            expect(held.take(step.take)).toBe(twin.take(step.take));
          } else {
            const slot = held.hold(step.hold);
            expect(slot < 0).toBe(twin.isHeld.length === 16);
            expect(twin.isHeld).not.toContain(slot);
            if (slot >= 0) twin.hold(step.hold, slot);
          }
          expect(held.count).toBe(twin.isHeld.length);
        }
      }),
    );
  });
});
