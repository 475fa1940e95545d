/** Reports packets that were dropped or lost. */
import { plural } from "../../base/text.ts";
import type { EngineCounts } from "../../engine/host.ts";
import type { Terminal } from "./terminal.ts";

const reasons: Readonly<Record<keyof EngineCounts["dropped"], string>> = {
  foreign: "from or to an address outside the subnet",
  malformed: "no whole IP packet",
  refused: "not taken by the device that was to receive it; had a command taken it down?",
  unrecorded: "the dump had no room, as the disk is too slow",
};

/**
 * Prints the dropped packets by reason, if there were any, and always the packets that links lost:
 * links exist to lose packets.
 */
export function tellDrops(terminal: Terminal, { links, dropped }: EngineCounts): void {
  const { sent, lost } = links;
  if (sent > 0) {
    const percent = ((100 * lost) / sent).toFixed(1);
    terminal.info(`the links lost ${lost} of ${plural(sent, "packet")} (${percent} %)`);
  }
  for (const [reason, text] of Object.entries(reasons)) {
    const count = dropped[reason as keyof typeof reasons];
    if (count > 0) terminal.info(`${plural(count, "packet")} dropped: ${text}`);
  }
}
