/** The data that `plg replay` embeds in its page in addition to the dump. */
import type { DifferenceList } from "../replay/findings/differences.ts";
import type { Verdict } from "./outcome.ts";

export interface CarriedDifferences {
  /** The start of the recording that was replayed, in nanoseconds since the epoch. */
  readonly startNs: string;
  readonly outcome: { readonly verdict: Verdict; readonly text: string };
  readonly list: DifferenceList;
}
