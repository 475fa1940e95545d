/**
 * The differences of a replay, as `plg replay` reports them. Clicking one shows it in the
 * recording.
 */
import { plural } from "../base/text.ts";
import type { Difference, DifferenceList } from "../replay/findings/differences.ts";
import { describeDifference, renderDifference } from "../report/differences.ts";
import { element } from "./dom.ts";

export class DifferenceCards {
  readonly root: HTMLElement;
  readonly #onChoose: (difference: Difference) => void;

  /** `onChoose` receives the difference that was clicked. */
  constructor(
    { differences, count, notes }: DifferenceList,
    onChoose: (difference: Difference) => void,
  ) {
    this.#onChoose = onChoose;
    const left = count - differences.length;
    const more = left > 0 ? [element("p", "hint", `and ${plural(left, "difference")} more`)] : [];
    const noted = notes.map((note) => element("p", "hint", `note: ${describeDifference(note)}`));
    this.root = element(
      "div",
      "list",
      ...differences.map((difference) => this.#card(difference)),
      ...more,
      ...noted,
    );
  }

  #card(difference: Difference): HTMLElement {
    const [sentence = "", ...details] = renderDifference(difference, { hasOthers: true });
    const card = element("article", "card", element("h3", "", sentence));
    if (details.length > 0) card.append(element("pre", "", details.join("\n")));
    card.addEventListener("click", () => this.#onChoose(difference));
    return card;
  }
}
