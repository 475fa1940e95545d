/**
 * All links of a run: pure. Which conditions hold between two containers, and where they act on TCP.
 *
 * A TCP connection between two containers is two, one of each container with the pipe space. A link acts on
 * one of them only, in both directions: so there is one TCP that sees the link as it is, its whole delay
 * and loss, while the other is within plg. (Half of it on each would halve the round trip that each TCP
 * measures, and double what it sends under loss.) That is the one of the container that its spec names
 * first. In a replay the two connections have nothing to do with each other, and each crosses the link.
 */
import { LinkDirection } from "./link-direction.ts";
import type { LinkEnd, LinkSpec } from "./link-spec.ts";
import { Random } from "./random.ts";

/** The links of a run, as they are told to its threads. */
export interface LinkSetup {
  readonly specs: readonly LinkSpec[];
  /** What all random numbers follow from: a whole number, up to 2^53-1. */
  readonly seed: number;
  /** Whether TCP crosses a link at each of its two ends, as in a replay. */
  readonly atBothEnds: boolean;
}

/** One direction between two containers. */
export interface Link {
  readonly direction: LinkDirection;
  /** Whether it acts on TCP from the sending container to the pipe space, and from there to the receiving one. */
  readonly actsAtSender: boolean;
  readonly actsAtReceiver: boolean;
}

/** Containers' indices are below this: two of them make a key. */
const keyFactor = 0x1_0000;

export class LinkPlan {
  readonly #setup: LinkSetup;
  /** By both ends; null where there is none. */
  readonly #links = new Map<number, Link | null>();

  constructor(setup: LinkSetup) {
    this.#setup = setup;
  }

  /** The link that a packet between these containers crosses. */
  between(from: number, to: number): Link | null {
    const key = from * keyFactor + to;
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = this.#create(from, to)));
    return link;
  }

  #create(from: number, to: number): Link | null {
    const { specs, seed, atBothEnds } = this.#setup;
    const spec = specs[specIndex(specs, from, to)];
    if (!spec || from === to) return null;
    const end = endOfTcp(specs, from, to);
    return {
      direction: new LinkDirection(spec.conditions, new Random(seed, from * keyFactor + to)),
      actsAtSender: atBothEnds || end === from,
      actsAtReceiver: atBothEnds || end === to,
    };
  }
}

/** Which containers are at an end of a link: all their packets must pass through the switch, one by one. */
export function linkedContainers(specs: readonly LinkSpec[], containers: number): boolean[] {
  return Array.from({ length: containers }, (_, index) =>
    specs.some(({ from, to }) => isAt(from, index) || isAt(to, index)),
  );
}

/**
 * How long it may be quiet while something is still under way: a round trip over the slowest link, and where
 * packets get lost, twice the second that TCP waits before it sends again what was (RFC 6298, section 2). Without
 * links it is 0.
 */
export function quietMsOf(links: { readonly specs: readonly LinkSpec[] } | undefined): number {
  const waits = (links?.specs ?? []).map(({ conditions }) => {
    const { delayMs, jitterMs, bitsPerMs, queueMs, loss } = conditions;
    const wayMs = delayMs + jitterMs + (bitsPerMs === Infinity ? 0 : queueMs);
    return 2 * wayMs + (loss > 0 || bitsPerMs < Infinity ? 2000 : 0);
  });
  return Math.max(0, ...waits);
}

/** The last spec that speaks of this direction, or -1. */
function specIndex(specs: readonly LinkSpec[], from: number, to: number): number {
  return specs.findLastIndex(
    (spec) => matches(spec, from, to) || (spec.bothWays && matches(spec, to, from)),
  );
}

/** Of two ends, the one that is named first by the first spec that counts for them. */
function endOfTcp(specs: readonly LinkSpec[], one: number, other: number): number {
  const indices = [specIndex(specs, one, other), specIndex(specs, other, one)];
  const spec = specs[Math.min(...indices.filter((index) => index >= 0))];
  if (spec?.from === one || spec?.to === other) return one;
  if (spec?.from === other || spec?.to === one) return other;
  return Math.min(one, other);
}

function matches({ from, to }: LinkSpec, sender: number, receiver: number): boolean {
  return isAt(from, sender) && isAt(to, receiver);
}

function isAt(end: LinkEnd, container: number): boolean {
  return end === "*" || end === container;
}
