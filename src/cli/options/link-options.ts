/** The options `--link` and `--seed`: what lies between the containers of a run. */
import { randomInt } from "node:crypto";
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";
import type { LinkSetup } from "../../switch/core/link-plan.ts";
import { parseLink } from "../../switch/core/link-spec.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect } from "./values.ts";

export interface LinkFlags {
  readonly link?: readonly string[];
  readonly seed?: string;
}

export function addLinkFlags(cli: Cli): Cli {
  return cli
    .optionsGroup("Network:")
    .option("--link <spec>", "degrade a link, as described below (repeatable)", collect)
    .option("--seed <n>", "repeat the losses and jitter of links (default: random)");
}

export const linkGrammar = `
Links:
  'A<->B: CONDITIONS' describes a link, 'A->B: CONDITIONS' one direction of it. '*' is any
  container. If several links name a direction, the last one counts. The conditions:
    delay TIME, jitter TIME      one way
    loss 1%, duplicate 1%, reorder 1%
    rate 10mbit, queue TIME      how long packets may wait for the rate
    down at TIME, up at TIME     since the start
  Times are like 200us, 40ms or 1.5s.`;

/** A dump's header has room for so many. */
const mostLinks = 32;
/** Small enough to be typed. */
const seeds = 1_000_000;

/** What the options say; undefined if there are no links. `atBothEnds`: see {@link LinkSetup}. */
export function parseLinks(
  { link: texts = [], seed }: LinkFlags,
  containers: readonly ContainerPlan[],
  atBothEnds: boolean,
): LinkSetup | undefined {
  if (texts.length === 0 && seed !== undefined)
    throw new UsageError("--seed is for links: give at least one --link");
  if (texts.length === 0) return undefined;
  if (texts.length > mostLinks)
    throw new UsageError(`${texts.length} links are too many: use '*' for any container`);
  const names = containers.map(({ name }) => name);
  const specs = texts.map((text) => parseLink(text, names));
  return { specs, seed: parseSeed(seed), atBothEnds };
}

/** Tells the seed, without which a run cannot be repeated. */
export function tellLinks(terminal: Terminal, links: LinkSetup | undefined): void {
  if (links) terminal.info(`the links' seed is ${links.seed}: --seed ${links.seed} repeats them`);
}

function parseSeed(text: string | undefined): number {
  if (text === undefined) return randomInt(seeds);
  const seed = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(seed)) return seed;
  throw new UsageError(`--seed '${text}' is not a whole number up to ${Number.MAX_SAFE_INTEGER}`);
}
