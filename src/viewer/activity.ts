/** The traffic over the time of the run. */
import type { LoadedDump } from "./load.ts";

/** Bytes and events in equal parts of the run. */
export interface Activity {
  readonly events: Uint32Array;
  readonly bytes: Float64Array;
}

/** Assigns the events to `parts` equal parts of the time. */
export function activityOf(
  { index, summary }: Pick<LoadedDump, "index" | "summary">,
  shown: Uint32Array,
  parts: number,
): Activity {
  const activity = { events: new Uint32Array(parts), bytes: new Float64Array(parts) };
  for (const event of shown) {
    const share = index.timeNs(event) / Math.max(1, summary.durationNs);
    const part = Math.min(parts - 1, Math.floor(share * parts));
    activity.events[part] = (activity.events[part] as number) + 1;
    activity.bytes[part] = (activity.bytes[part] as number) + index.lengthBytes(event);
  }
  return activity;
}
