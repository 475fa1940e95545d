/**
 * Learns masks from two recordings of an unchanged system, as a replay learns them from its
 * differences.
 */
import type { EqualBytes } from "../replay/compare/compare.ts";
import type { Mask } from "../replay/compare/masks.ts";
import { Learner } from "../replay/learn/learn.ts";
import { diffRecordings, type RecordingDiff } from "./diff.ts";
import type { DiffSide } from "./pairing.ts";

/** A stream has its next difference only after the first one is masked. */
const mostRounds = 100;

export interface DiffLearning {
  readonly masks: Learner["masks"];
  /** What no mask explains. */
  readonly left: RecordingDiff;
}

/** `given` are masks that apply in any case, and `parse` reads a learned one. */
export function learnFromRecordings(
  first: DiffSide,
  second: DiffSide,
  given: readonly Mask[],
  parse: (mask: string) => Mask,
  equal?: EqualBytes,
): DiffLearning {
  const learner = new Learner();
  for (let round = 0; ; round++) {
    learner.noteReplay();
    const masks = [...given, ...learner.masks.map(({ mask }) => parse(mask))];
    const left = diffRecordings(first, second, masks, equal);
    const learned = left.differences.filter((difference) => learner.add(difference));
    if (learned.length === 0 || round === mostRounds) return { masks: learner.masks, left };
  }
}
