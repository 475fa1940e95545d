/** What the page of a replay carries besides the dump: written by `plg replay`, read by the page. */
import type { DifferenceList } from "../replay/findings/differences.ts";
import type { Verdict } from "./outcome.ts";

export interface CarriedDifferences {
  /** The start of the recording that was replayed, in nanoseconds since the epoch. */
  readonly startNs: string;
  readonly outcome: { readonly verdict: Verdict; readonly text: string };
  readonly list: DifferenceList;
}
