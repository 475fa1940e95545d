/**
 * All links of a run: the conditions between each two containers, and where they act on TCP. Pure.
 *
 * A TCP connection between two containers consists of two, one from each container to the pipe
 * space. A link acts on only one of them, in both directions, so that one TCP sees the link's full
 * delay and loss. (Half on each side would halve the round trip that each TCP measures, and double
 * its retransmissions under loss.) It acts on the side of the container that the spec names first.
 * In a replay the two connections are independent, and both cross the link.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { LinkDirection } from "./link-direction.ts";
import type { LinkEnd, LinkSpec } from "./link-spec.ts";
import { Random } from "./random.ts";

/** The links of a run, as passed to its threads. */
export interface LinkSetup {
  readonly specs: readonly LinkSpec[];
  /** The seed of all random numbers: an integer up to 2^53-1. */
  readonly seed: number;
  /** Whether TCP crosses a link on both sides, as in a replay. */
  readonly atBothEnds: boolean;
}

/** A link in one direction between two containers. */
export interface Link {
  readonly direction: LinkDirection;
  /** Whether it acts on TCP on the sender's side of the pipe space, and on the receiver's. */
  readonly actsAtSender: boolean;
  readonly actsAtReceiver: boolean;
}

/** Container indices are below this bound, so two of them form a key. */
const keyFactor = 0x1_0000;

export class LinkPlan {
  readonly #setup: LinkSetup;
  /** By both ends; null where there is no link. */
  readonly #links = new Map<number, Link | null>();

  constructor(setup: LinkSetup) {
    this.#setup = setup;
  }

  /** The link that a packet between these containers crosses. */
  between(from: ContainerIndex, to: ContainerIndex): Link | null {
    const key = from * keyFactor + to;
    let link = this.#links.get(key);
    if (link === undefined) this.#links.set(key, (link = this.#create(from, to)));
    return link;
  }

  #create(from: ContainerIndex, to: ContainerIndex): Link | null {
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

/** The containers at either end of a link: all their packets must pass the switch one by one. */
export function linkedContainers(specs: readonly LinkSpec[], containers: number): boolean[] {
  return Array.from({ length: containers }, (_, index) =>
    specs.some(({ from, to }) => isAt(from, index) || isAt(to, index)),
  );
}

/**
 * How long traffic may pause although packets are in flight: a round trip over the slowest link,
 * plus, with loss, twice TCP's initial retransmission timeout of a second (RFC 6298 section 2).
 * Without links it is 0.
 */
export function quietMsOf(links: { readonly specs: readonly LinkSpec[] } | undefined): number {
  const waits = (links?.specs ?? []).map(({ conditions }) => {
    const { delayMs, jitterMs, bitsPerMs, queueMs, loss } = conditions;
    const wayMs = delayMs + jitterMs + (bitsPerMs === Infinity ? 0 : queueMs);
    return 2 * wayMs + (loss > 0 || bitsPerMs < Infinity ? 2000 : 0);
  });
  return Math.max(0, ...waits);
}

/** The index of the last spec that covers this direction, or -1. */
function specIndex(specs: readonly LinkSpec[], from: ContainerIndex, to: ContainerIndex): number {
  return specs.findLastIndex(
    (spec) => matches(spec, from, to) || (spec.bothWays && matches(spec, to, from)),
  );
}

/** The end that the first applicable spec names first. */
function endOfTcp(specs: readonly LinkSpec[], one: number, other: number): number {
  const indices = [specIndex(specs, one, other), specIndex(specs, other, one)];
  const spec = specs[Math.min(...indices.filter((index) => index >= 0))];
  if (spec?.from === one || spec?.to === other) return one;
  if (spec?.from === other || spec?.to === one) return other;
  return Math.min(one, other);
}

function matches(
  { from, to }: LinkSpec,
  sender: ContainerIndex,
  receiver: ContainerIndex,
): boolean {
  return isAt(from, sender) && isAt(to, receiver);
}

function isAt(end: LinkEnd, container: ContainerIndex): boolean {
  return end === "*" || end === container;
}
