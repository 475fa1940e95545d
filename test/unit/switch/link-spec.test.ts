import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/base/errors.ts";
import { type LinkConditions, parseLink } from "../../../src/switch/core/link-spec.ts";

const names = ["server", "client", "web-2"];
const perfect: LinkConditions = {
  delayMs: 0,
  jitterMs: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  bitsPerMs: Infinity,
  queueMs: 200,
  switches: [],
};

describe("a link", () => {
  it.each([
    ["client<->server: delay 1ms", 1, 0, true],
    ["client->server:delay 1ms", 1, 0, false],
    [" web-2 <-> client : delay 1ms ", 2, 1, true],
    ["*->server: delay 1ms", "*", 0, false],
    ["server<->*: delay 1ms", 0, "*", true],
    ["*<->*: delay 1ms", "*", "*", true],
  ])("%j has its ends", (text, from, to, bothWays) => {
    const spec = parseLink(text, names);
    expect(spec).toMatchObject({ from, to, bothWays, conditions: { ...perfect, delayMs: 1 } });
  });

  it("has all conditions that are named, in any order and with commas or without", () => {
    const wanted: LinkConditions = {
      delayMs: 40,
      jitterMs: 0.2,
      loss: 0.01,
      duplicate: 0.005,
      reorder: 1,
      bitsPerMs: 10_000,
      queueMs: 1500,
      switches: [],
    };
    const words = ["rate 10mbit", "delay 40ms", "jitter 200us", "loss 1%", "duplicate 0.5%"];
    words.push("reorder 100%", "queue 1.5s");
    for (const separator of [" ", ", ", "  "]) {
      const line = `client<->server: ${words.toReversed().join(separator)}`;
      expect(parseLink(line, names).conditions).toEqual(wanted);
    }
  });

  it("goes down and comes up", () => {
    const { switches } = parseLink(
      "client->server: down at 2s, up at 5s down at 1m",
      names,
    ).conditions;
    expect(switches).toEqual([
      { atMs: 2000, isUp: false },
      { atMs: 5000, isUp: true },
      { atMs: 60_000, isUp: false },
    ]);
  });

  it.each([
    ["rate 800bit", 0.8],
    ["rate 56kbit", 56],
    ["rate 1.5mbit", 1500],
    ["rate 1gbit", 1_000_000],
  ])("%s", (words, bitsPerMs) => {
    expect(parseLink(`client->server: ${words}`, names).conditions).toEqual({
      ...perfect,
      bitsPerMs,
    });
  });

  it("is kept as it was written, in one line", () => {
    expect(parseLink("  client->server:\n delay   1ms", names).text).toBe(
      "client->server: delay 1ms",
    );
  });
});

describe("what is no link", () => {
  it.each([
    ["", /write it like/],
    ["client", /write it like/],
    ["client<-server: delay 1ms", /write it like/],
    ["client server: delay 1ms", /write it like/],
    ["client<->server", /write it like/],
    ["client<->server:", /has no conditions/],
    ["client<->nobody: delay 1ms", /no container 'nobody' \(there are server, client, web-2\)/],
    ["client<->client: delay 1ms", /two ends/],
    ["client<->server: latency 1ms", /'latency' is no condition: there are delay, /],
    ["client<->server: delay", /'delay' has no proper value: write it like 40ms/],
    ["client<->server: delay 40", /'delay 40' has no proper value/],
    ["client<->server: delay -1ms", /'delay -1ms'/],
    ["client<->server: delay 1h", /'delay 1h'/],
    ["client<->server: delay 61s", /'delay' is out of range: at most 60s/],
    ["client<->server: loss 1", /'loss 1' has no proper value: write it like 0.5%/],
    ["client<->server: loss 101%", /'loss' is out of range: at most 100%/],
    ["client<->server: rate 10mb", /'rate 10mb' has no proper value/],
    ["client<->server: rate 0bit", /'rate' is out of range/],
    ["client<->server: delay 1ms delay 2ms", /'delay' stands there twice/],
    ["client<->server: delay 1ms jitter 2ms", /jitter is more than the delay/],
    ["client<->server: jitter 2ms", /jitter is more than the delay/],
    ["client<->server: reorder 2%", /needs a delay/],
    ["client<->server: queue 20ms", /needs a rate/],
    ["client<->server: down 2s", /write 'down at' and a time/],
    ["client<->server: down at", /'down at' has no proper value/],
    ["client<->server: down at 2s up at 1s", /take turns/],
    ["client<->server: down at 2s down at 3s", /take turns/],
    [`client<->server: ${"delay 1ms ".repeat(60)}`, /longer than 500 characters/],
  ])("%j", (text, says) => {
    expect(() => parseLink(text, names)).toThrow(UsageError);
    expect(() => parseLink(text, names)).toThrow(says);
  });
});
