/** The option `--link`: the conditions on the links between containers. */
import type { Command as Cli } from "commander";
import type { LinkSetup } from "../../switch/core/link-plan.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect } from "./values.ts";

export interface LinkFlags {
  readonly link?: readonly string[];
}

export function addLinkFlags(cli: Cli): Cli {
  return cli
    .optionsGroup("Network:")
    .option("--link <spec>", "degrade a link, as described below (repeatable)", collect);
}

export const linkGrammar = `
Links:
  'A<->B: CONDITIONS' describes a link, 'A->B: CONDITIONS' one direction of it.
  '*' is any container. If several links name a direction, the last one counts.
    delay TIME, jitter TIME      one way
    loss 1%, duplicate 1%, reorder 1%
    rate 10mbit, queue TIME      how long packets may wait for the rate
    down at TIME, up at TIME     since the start
  Times are like 200us, 40ms or 1.5s.`;

/** Prints the seed, which repeats the links' losses and jitter. */
export function tellLinks(terminal: Terminal, links: LinkSetup | undefined): void {
  if (links) terminal.info(`the links' seed is ${links.seed}: --seed ${links.seed} repeats them`);
}
