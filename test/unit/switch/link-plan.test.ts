import { describe, expect, it } from "vitest";
import { LinkPlan, linkedContainers, quietMsOf } from "../../../src/switch/core/link-plan.ts";
import { parseLink } from "../../../src/switch/core/link-spec.ts";

const names = ["a", "b", "c"];
const specsOf = (texts: readonly string[]) => texts.map((text) => parseLink(text, names));

function plan(texts: readonly string[], atBothEnds = false): LinkPlan {
  return new LinkPlan({ specs: specsOf(texts), seed: 1, atBothEnds });
}

/** How much later a packet from one to the other arrives; undefined if there is no link. */
function delay(links: LinkPlan, from: string, to: string): number | undefined {
  return links.between(names.indexOf(from), names.indexOf(to))?.direction.send(0, 100);
}

/**
 * At whose connection with the pipe space a link between these two acts on TCP, seen from either
 * direction.
 */
function ends(links: LinkPlan, one: string, other: string): string[] {
  const [from, to] = [names.indexOf(one), names.indexOf(other)];
  const there = links.between(from, to);
  const back = links.between(to, from);
  const seen = new Set<string>();
  if (there?.actsAtSender) seen.add(one);
  if (there?.actsAtReceiver) seen.add(other);
  if (back?.actsAtSender) seen.add(other);
  if (back?.actsAtReceiver) seen.add(one);
  return [...seen];
}

describe("which link a packet crosses", () => {
  it("that between its ends, in its direction", () => {
    const links = plan(["a->b: delay 1ms", "b<->c: delay 2ms"]);
    expect(delay(links, "a", "b")).toBe(1);
    expect(delay(links, "b", "a")).toBeUndefined();
    expect([delay(links, "b", "c"), delay(links, "c", "b")]).toEqual([2, 2]);
    expect([delay(links, "a", "c"), delay(links, "c", "a")]).toEqual([undefined, undefined]);
  });

  it("the last that names the direction, as a whole", () => {
    const links = plan(["*<->*: delay 1ms loss 100%", "a->*: delay 2ms", "a->c: delay 3ms"]);
    expect([delay(links, "a", "b"), delay(links, "a", "c")]).toEqual([2, 3]);
    expect(delay(links, "b", "a")).toBe(-1);
  });

  it("none to itself", () => {
    expect(delay(plan(["*<->*: delay 1ms"]), "a", "a")).toBeUndefined();
  });

  it("is the same from packet to packet", () => {
    const links = plan(["a->b: rate 8kbit"]);
    expect([delay(links, "a", "b"), delay(links, "a", "b")]).toEqual([100, 200]);
  });
});

describe("where a link acts on TCP", () => {
  it.each([
    [["a<->b: delay 1ms"], ["a"]],
    [["b<->a: delay 1ms"], ["b"]],
    [["a->b: delay 1ms"], ["a"]],
    [["b->a: delay 1ms"], ["b"]],
    [["b->a: delay 1ms", "a->b: loss 1%"], ["b"]],
    [["a->b: loss 1%", "b->a: delay 1ms"], ["a"]],
    [["a<->b: loss 1%", "b<->a: delay 1ms"], ["b"]],
    [["*<->a: delay 1ms"], ["b"]],
    [["a<->*: delay 1ms"], ["a"]],
    [["*->a: delay 1ms"], ["b"]],
    [["*<->*: delay 1ms"], ["a"]],
    [["c<->a: delay 1ms"], []],
  ])("%j: at %j, in both directions", (texts, end) => {
    expect(ends(plan(texts), "a", "b")).toEqual(end);
    expect(ends(plan(texts), "b", "a")).toEqual(end);
  });

  it("in a replay at both ends", () => {
    expect(ends(plan(["b<->a: delay 1ms"], true), "a", "b").toSorted()).toEqual(["a", "b"]);
  });
});

describe("who is at the end of a link", () => {
  it.each([
    [[], [false, false, false]],
    [["a->c: delay 1ms"], [true, false, true]],
    [["b->*: delay 1ms"], [true, true, true]],
  ])("%j", (texts, linked) => {
    expect(linkedContainers(specsOf(texts), 3)).toEqual(linked);
  });
});

describe("how long it may be quiet", () => {
  it.each([
    [[], 0],
    [["a->b: delay 40ms jitter 5ms"], 90],
    [["a->b: delay 40ms", "b->c: delay 1s"], 2000],
    [["a->b: loss 1%"], 2000],
    [["a->b: delay 10ms rate 1mbit queue 100ms"], 2220],
  ])("%j", (texts, quietMs) => {
    expect(quietMsOf({ specs: specsOf(texts) })).toBe(quietMs);
  });
});
