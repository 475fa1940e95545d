/** `plg show --timeline`: prints all messages of a run in order, one per line. */
import type { EventNumber } from "../../base/ids.ts";
import { printableJson } from "../../base/printable.ts";
import type { DumpEnd, DumpItem, RunItem } from "../../dump/format/decoder.ts";
import { readDump } from "../../dump/store/reader.ts";
import type { CommandExit, RunInfo } from "../../dump/format/schema.ts";
import { selectionFrom, type SelectionOptions } from "../../report/selection.ts";
import { Timeline, type TimelineLine } from "../../report/timeline.ts";
import { layoutFor, renderTimelineLine, timelineJson } from "../../report/timeline-text.ts";
import { write } from "../launch/standard-streams.ts";
import { completenessOf, warnIfIncomplete } from "../terminal/incomplete.ts";
import { forResults } from "../terminal/terminal.ts";

export interface TimelineFlags extends SelectionOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
}

/** How long a line waits for its answer while a recording is followed. */
const patienceNs = 300e6;

/**
 * Prints the timeline while reading, at the speed of standard output's reader. With `follow`, it
 * goes on until the recorder ends.
 */
export async function showTimeline(path: string, flags: TimelineFlags): Promise<void> {
  const readSinceMs = Date.now();
  const items = await itemsOf(path, flags.follow === true);
  // The first item is the run; otherwise `next` throws.
  const { run } = await firstOf(items);
  const exits: (CommandExit | undefined)[] = run.containers.map(() => undefined);
  const timeline = timelineOf(run, flags);
  const render = rendererFor(run, flags);
  for (let [next, event] = [await items.next(), 0]; ; next = await items.next(), event++) {
    const lines = next.done ? timeline.finish() : linesAfter(timeline, next.value, event, run);
    if (lines.length > 0 && !(await write(lines.map((line) => `${render(line)}\n`).join(""))))
      return;
    if (!next.done) {
      if (next.value?.type === "exit") exits[next.value.container] = next.value.exit;
      continue;
    }
    const completeness = await completenessOf(path, next.value, readSinceMs);
    return warnIfIncomplete(forResults(), path, { completeness, end: next.value, exits });
  }
}

type Items = Generator<DumpItem, DumpEnd> | AsyncGenerator<DumpItem | undefined, DumpEnd>;

async function itemsOf(path: string, isFollowed: boolean): Promise<Items> {
  if (!isFollowed) return readDump(path);
  // The module for system calls loads slowly, and a complete dump does not need it.
  const { followDump } = await import("../../dump/store/follow.ts");
  return followDump(path);
}

/** A followed recording may not have its header yet. */
async function firstOf(items: Items): Promise<RunItem> {
  for (;;) {
    const { value } = await items.next();
    if (value !== undefined) return value as RunItem;
  }
}

/** `item` is undefined where a followed recording has no more items yet. */
function linesAfter(
  timeline: Timeline,
  item: DumpItem | undefined,
  event: EventNumber,
  { startNs }: RunInfo,
): readonly TimelineLine[] {
  if (item === undefined) return timeline.settle(Date.now() * 1e6 - Number(startNs) - patienceNs);
  return item.type === "stream" || item.type === "packet" ? timeline.add(item, event) : [];
}

function timelineOf(run: RunInfo, flags: SelectionOptions): Timeline {
  const names = run.containers.map(({ name }) => name);
  return new Timeline(run, selectionFrom(flags, names));
}

function rendererFor(run: RunInfo, { json }: TimelineFlags): (line: TimelineLine) => string {
  if (json) return (line) => printableJson(timelineJson(line));
  const layout = layoutFor(run, process.stdout.isTTY ? process.stdout.columns : undefined);
  return (line) => renderTimelineLine(line, layout);
}
