/** Where the live commands of a replay get their random bytes and the time of day. */
import { recordedSeed } from "../determinism/core/scheme.ts";
import type { Recording } from "../recording/load/read-recording.ts";

/** What the user wants. */
interface Wanted {
  /** `false`: real random bytes. */
  readonly seed?: number | false | undefined;
  /** Whether commands see the recorded time of day. @default true if the random bytes repeat */
  readonly recordedClock?: boolean | undefined;
}

/** The sources: the recorded ones, unless declined. */
export function sourcesOf(
  { index }: Recording,
  { seed: wanted, recordedClock }: Wanted,
  onWarning: (text: string) => void,
): { readonly randomSeed: number | undefined; readonly hasRecordedClock: boolean } {
  const seed = recordedSeed(index.run.notes);
  if (seed === "unknown")
    onWarning(
      "the recorded random bytes follow from a seed in a way that this plg does not know, so they will differ: replay with the plg that recorded it",
    );
  const randomSeed = typeof seed === "number" && wanted !== false ? seed : undefined;
  return { randomSeed, hasRecordedClock: recordedClock ?? randomSeed !== undefined };
}
