/** A small plot of the traffic over time. Clicking it jumps to that moment. */
import { formatBytes } from "../base/text.ts";
import { timeLabel } from "../report/events.ts";
import { activityOf } from "./activity.ts";
import { element } from "./dom.ts";
import type { LoadedDump } from "./load.ts";

const heightPx = 48;

export class ActivityPlot {
  readonly root: HTMLElement;
  readonly #dump: LoadedDump;
  readonly #canvas = document.createElement("canvas");
  readonly #scale = element("div", "scale");
  #shown: Uint32Array = new Uint32Array();

  /** `onTime` receives the moment that was clicked. */
  constructor(dump: LoadedDump, onTime: (atNs: number) => void) {
    this.#dump = dump;
    this.root = element("div", "activity", this.#canvas, this.#scale);
    this.root.title = "bytes over the time of the run; a click goes to that moment";
    this.#canvas.addEventListener("click", ({ offsetX }) =>
      onTime((offsetX / this.#canvas.clientWidth) * dump.summary.durationNs),
    );
    new ResizeObserver(() => this.#draw()).observe(this.root);
  }

  show(events: Uint32Array): void {
    this.#shown = events;
    this.#draw();
  }

  /**
   * Bars show the square root of the bytes, so that small amounts stay visible; marks show events.
   */
  #draw(): void {
    const widthPx = Math.max(1, this.root.clientWidth);
    this.#canvas.width = widthPx;
    this.#canvas.height = heightPx;
    const { events, bytes } = activityOf(this.#dump, this.#shown, widthPx);
    const most = bytes.reduce((a, b) => Math.max(a, b), 1);
    const context = this.#canvas.getContext("2d");
    if (!context) return;
    const { color } = getComputedStyle(this.#canvas);
    context.fillStyle = color;
    for (let x = 0; x < widthPx; x++) {
      if (events[x] === 0) continue;
      const barPx = 3 + Math.sqrt((bytes[x] as number) / most) * (heightPx - 3);
      context.fillRect(x, heightPx - barPx, 1, barPx);
    }
    const eachNs = this.#dump.summary.durationNs / widthPx;
    this.#scale.replaceChildren(
      element("span", "", "0 s"),
      element("span", "", `at most ${formatBytes(most)} in ${timeLabel(eachNs)}`),
      element("span", "", timeLabel(this.#dump.summary.durationNs)),
    );
  }
}
