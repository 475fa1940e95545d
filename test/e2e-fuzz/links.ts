/** The conditions of a scenario's links. */
import type { Chance } from "./chance.ts";
import type { Moods } from "./moods.ts";
import { nameOf } from "./scenario.ts";

export interface Link {
  /** As `plg record --link` takes them. */
  readonly specs: readonly string[];
  /** What cannot happen over such a link with one outcome alone. */
  readonly moods: Partial<Moods>;
  /** What passes in reasonable time. */
  readonly mostBytes: number;
}

export const noLink: Link = { specs: [], moods: {}, mostBytes: Number.POSITIVE_INFINITY };

const mostBytes = 1_500_000;

/**
 * A reset that is lost is not sent again, nor is what the sender had not sent before it; SYNs keep
 * no order.
 */
const lossy: Partial<Moods> = { reset: 0, lastWords: 0, batch: 0 };

export function chooseLink(chance: Chance, containers: number, hasDatagrams: boolean): Link {
  const [from, to] = [chance.between(0, containers - 2), containers - 1];
  const ends = chance.percent(50) ? "*<->*" : `${nameOf(from)}<->${nameOf(to)}`;
  const delayMs = chance.magnitude(1, 10);
  const conditions = [`delay ${delayMs}ms`];
  if (chance.percent(40)) conditions.push(`jitter ${Math.min(delayMs, chance.between(1, 3))}ms`);
  // Nobody sends a datagram again.
  if (hasDatagrams) return { specs: [`${ends}: ${conditions.join(" ")}`], moods: {}, mostBytes };
  if (chance.percent(40)) conditions.push(`rate ${chance.between(50, 200)}mbit`);
  const losses = ["loss 0.5%", "duplicate 2%", "reorder 2%"].filter(() => chance.percent(25));
  return {
    specs: [`${ends}: ${[...conditions, ...losses].join(" ")}`],
    moods: losses.length > 0 ? lossy : {},
    mostBytes,
  };
}
