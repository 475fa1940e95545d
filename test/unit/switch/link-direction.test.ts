import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinkDirection, lost } from "../../../src/switch/core/link-direction.ts";
import { parseLink } from "../../../src/switch/core/link-spec.ts";
import { Random } from "../../../src/switch/core/random.ts";

/** A direction of which `words` tell the conditions. */
function direction(words: string, seed = 1, stream = 0): LinkDirection {
  const { conditions } = parseLink(`a->b: ${words}`, ["a", "b"]);
  return new LinkDirection(conditions, new Random(seed, stream));
}

/** When packets of `lengthBytes` arrive that are sent at these times. */
function arrivals(link: LinkDirection, sentMs: readonly number[], lengthBytes = 1000): number[] {
  return sentMs.map((ms) => link.send(ms, lengthBytes));
}

const everyMs = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("delay", () => {
  it("lets every packet arrive that much later", () => {
    expect(arrivals(direction("delay 40ms"), [0, 0.5, 7, 100])).toEqual([40, 40.5, 47, 140]);
  });

  it("with jitter is spread over both sides, and keeps the order", () => {
    const link = direction("delay 40ms jitter 5ms");
    const sent = everyMs(2000).map((i) => i * 20);
    const delays = arrivals(link, sent).map((ms, i) => ms - (sent[i] ?? 0));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(35);
    expect(Math.max(...delays)).toBeLessThanOrEqual(45);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(9);
    const mean = delays.reduce((sum, delay) => sum + delay) / delays.length;
    expect(Math.abs(mean - 40)).toBeLessThan(0.5);
    const close = arrivals(direction("delay 40ms jitter 40ms"), everyMs(1000));
    expect(close).toEqual(close.toSorted((a, b) => a - b));
  });
});

describe("rate", () => {
  it("gives one packet after the other its time on the wire", () => {
    // 1000 bytes at 1 Mbit/s take 8 ms.
    expect(arrivals(direction("rate 1mbit"), [0, 0, 1, 100])).toEqual([8, 16, 24, 108]);
    expect(arrivals(direction("rate 1mbit delay 40ms"), [0, 0])).toEqual([48, 56]);
  });

  it("drops what would wait longer than the queue is", () => {
    const link = direction("rate 1mbit queue 20ms");
    expect(arrivals(link, [0, 0, 0, 0, 0])).toEqual([8, 16, 24, lost, lost]);
    expect(arrivals(link, [10, 10])).toEqual([32, lost]);
  });

  it("lets a packet pass that takes longer than the queue is, if none waits", () => {
    expect(arrivals(direction("rate 8kbit queue 1ms"), [0, 1, 1000])).toEqual([1000, lost, 2000]);
  });

  it("is used by what gets lost on the wire, too", () => {
    const link = direction("rate 1mbit loss 100%");
    expect(arrivals(link, [0, 0])).toEqual([lost, lost]);
    const twin = direction("rate 1mbit loss 50% queue 1m");
    const came = arrivals(twin, everyMs(100)).filter((ms) => ms !== lost);
    expect(came.length).toBeLessThan(100);
    expect(came.every((ms) => ms % 8 === 0)).toBe(true);
    expect(Math.max(...came)).toBeGreaterThan(700);
  });
});

describe("loss and its kin", () => {
  it("have about their share", () => {
    const link = direction("delay 40ms loss 1% duplicate 2% reorder 3%");
    const seen = { lost: 0, doubled: 0, early: 0 };
    for (const ms of everyMs(100_000)) {
      const arrival = link.send(ms, 100);
      if (arrival === lost) seen.lost++;
      else if (arrival === ms) seen.early++;
      if (link.isDoubled) seen.doubled++;
    }
    expect(Math.abs(seen.lost - 1000)).toBeLessThan(150);
    expect(Math.abs(seen.doubled - 1980)).toBeLessThan(200);
    expect(Math.abs(seen.early - 2970)).toBeLessThan(250);
  });

  it("0 % and 100 % are exact", () => {
    expect(arrivals(direction("loss 0%"), everyMs(1000))).toEqual(everyMs(1000));
    expect(new Set(arrivals(direction("loss 100%"), everyMs(1000)))).toEqual(new Set([lost]));
    const twice = direction("duplicate 100%");
    twice.send(0, 1);
    expect(twice.isDoubled).toBe(true);
  });
});

describe("down and up", () => {
  it("loses what is sent while the link is down", () => {
    const link = direction("delay 1ms down at 10ms up at 20ms down at 30ms");
    expect(arrivals(link, [9, 9.9, 10, 19, 20, 29, 30, 1e9])).toEqual([
      10,
      10.9,
      lost,
      lost,
      21,
      30,
      lost,
      lost,
    ]);
  });

  it("a link that comes up first was down before", () => {
    expect(arrivals(direction("up at 10ms"), [0, 9, 10])).toEqual([lost, lost, 10]);
  });
});

describe("a seed", () => {
  const words = "delay 40ms jitter 10ms loss 20% duplicate 10% reorder 10%";
  const fate = (seed: number, stream: number): number[] =>
    arrivals(direction(words, seed, stream), everyMs(200));

  it("repeats each packet's fate; another seed or direction gives another", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(), (seed, stream) => {
        expect(fate(seed, stream)).toEqual(fate(seed, stream));
        expect(fate(seed, stream)).not.toEqual(fate(seed === 0 ? 1 : seed - 1, stream));
        expect(fate(seed, stream)).not.toEqual(fate(seed, stream + 1));
      }),
      { numRuns: 100 },
    );
  });

  it("decides on the n-th packet, whatever its length and time, and whether the link is down", () => {
    const twin = direction(`${words} down at 50ms up at 60ms`, 7);
    const packets = everyMs(200).map((ms) => twin.send(ms / 2, 1 + (ms % 7)) === lost);
    const expected = fate(7, 0).map((ms) => ms === lost);
    expect(packets).toEqual(expected.map((isLost, i) => isLost || (i >= 100 && i < 120)));
  });
});

describe("any direction", () => {
  it("lets nothing arrive before it was sent, and loses only what may be lost", () => {
    const packets = fc.array(fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 1500 })));
    fc.assert(
      fc.property(packets, fc.nat(), (steps, seed) => {
        const link = direction("delay 5ms jitter 5ms rate 5mbit queue 30ms reorder 20%", seed);
        let nowMs = 0;
        let freeMs = 0;
        for (const [pauseMs, lengthBytes] of steps) {
          nowMs += pauseMs;
          const isFull = freeMs - nowMs > 30;
          const arrival = link.send(nowMs, lengthBytes);
          expect(arrival === lost).toBe(isFull);
          if (isFull) continue;
          freeMs = Math.max(nowMs, freeMs) + (8 * lengthBytes) / 5000;
          expect(arrival).toBeGreaterThanOrEqual(freeMs);
        }
      }),
    );
  });
});
