/** `plg show --timeline`: prints all messages of a run in order, one per line. */
import type { EventNumber } from "../../base/ids.ts";
import { printableJson } from "../../base/printable.ts";
import type { DumpItem, RunItem } from "../../dump/format/decoder.ts";
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
}

/** Prints the timeline while reading, at the speed of standard output's reader. */
export async function showTimeline(path: string, flags: TimelineFlags): Promise<void> {
  const readSinceMs = Date.now();
  const items = readDump(path);
  // The first item is the run; otherwise `next` throws.
  const { run } = items.next().value as RunItem;
  const exits: (CommandExit | undefined)[] = run.containers.map(() => undefined);
  const timeline = timelineOf(run, flags);
  const render = rendererFor(run, flags);
  for (let [next, event] = [items.next(), 0]; ; next = items.next(), event++) {
    const lines = next.done ? timeline.finish() : linesAfter(timeline, next.value, event);
    if (lines.length > 0 && !(await write(lines.map((line) => `${render(line)}\n`).join(""))))
      return;
    if (!next.done) {
      if (next.value.type === "exit") exits[next.value.container] = next.value.exit;
      continue;
    }
    const completeness = await completenessOf(path, next.value, readSinceMs);
    return warnIfIncomplete(forResults(), path, { completeness, end: next.value, exits });
  }
}

function linesAfter(
  timeline: Timeline,
  item: DumpItem,
  event: EventNumber,
): readonly TimelineLine[] {
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
