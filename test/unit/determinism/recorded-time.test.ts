import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordedTime, recordedTimeStore } from "../../../src/determinism/core/recorded-time.ts";

const steps = fc.array(
  fc.record({
    container: fc.nat(2),
    passedNs: fc.nat(1000),
    recordedNs: fc.nat(5000),
    limitNs: fc.oneof(fc.nat(6000), fc.constant(Infinity)),
  }),
);

describe("recorded time", () => {
  it("is the last event's, and the real time since, but not past the next event's", () => {
    const time = new RecordedTime(recordedTimeStore(2));
    time.reach(1, 5000, 100, 9000);
    expect([100, 150, 4100, 10_000].map((nowNs) => time.at(1, nowNs))).toEqual([
      5000, 5050, 9000, 9000,
    ]);
    time.reach(1, 9000, 10_000, Infinity);
    expect(time.at(1, 10_500)).toBe(9500);
    expect(time.at(0, 10_500)).toBe(0);
  });

  it("goes on after a pause of 1 s, for a process that waits for the clock itself", () => {
    const time = new RecordedTime(recordedTimeStore(1));
    time.reach(0, 1e9, 5e9, 1.05e9);
    expect([5e9, 5.05e9, 6e9, 6.05e9, 6.06e9].map((nowNs) => time.at(0, nowNs))).toEqual([
      1e9, 1.05e9, 1.05e9, 1.05e9, 1.06e9,
    ]);
    time.reach(0, 1.05e9, 6.06e9, 2e9);
    expect(time.at(0, 6.06e9)).toBe(1.06e9);
  });

  it("never goes back, whatever order events come in, and others see the same", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const store = recordedTimeStore(3);
        const [writer, reader] = [new RecordedTime(store), new RecordedTime(store)];
        const last = [0, 0, 0];
        let nowNs = 0;
        for (const { container, passedNs, recordedNs, limitNs } of all) {
          nowNs += passedNs;
          for (const one of [0, 1, 2]) {
            const at = reader.at(one, nowNs);
            expect(at).toBeGreaterThanOrEqual(last[one] ?? 0);
            last[one] = at;
          }
          writer.reach(container, recordedNs, nowNs, limitNs);
          expect(reader.at(container, nowNs)).toBe(Math.max(recordedNs, last[container] ?? 0));
        }
      }),
    );
  });
});
