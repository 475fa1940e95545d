/** The text of each event: the messages that begin there, if their protocol is known. */
import type { EventNumber } from "../base/ids.ts";
import { assert } from "../base/assert.ts";
import type { DumpItem } from "../dump/format/decoder.ts";
import { lineOf } from "./bytes.ts";
import { Selection } from "./selection.ts";
import { Timeline, type TimelineLine } from "./timeline.ts";

/**
 * The most texts kept, and the most characters of each. A larger recording keeps its first texts.
 */
const mostTexts = 250_000;
const mostLength = 200;

export class MessageTexts {
  #timeline: Timeline | undefined;
  readonly #texts = new Map<number, string>();

  /** Takes the next item of a dump, and the number of its event if it is one. */
  add(item: DumpItem, event: EventNumber): void {
    if (item.type === "run") this.#timeline = new Timeline(item.run, everything);
    if (item.type !== "stream" && item.type !== "packet") return;
    assert(this.#timeline, "a dump begins with its run");
    for (const line of this.#timeline.add(item, event)) this.#keep(line);
  }

  /** Call it after the last item. */
  finish(): void {
    for (const line of this.#timeline?.finish() ?? []) this.#keep(line);
  }

  /** Returns one printable line; undefined if no decoded message begins in this event. */
  of(event: EventNumber): string | undefined {
    return this.#texts.get(event);
  }

  #keep({ protocol, moment, text, answer }: TimelineLine): void {
    if (protocol === undefined) return;
    this.#append(moment.event, text);
    if (answer) this.#append(answer.moment.event, answer.text);
  }

  #append(event: EventNumber, text: string): void {
    const before = this.#texts.get(event);
    if (before === undefined && this.#texts.size >= mostTexts) return;
    if (before !== undefined && before.length > mostLength) return;
    const line = lineOf(text).slice(0, mostLength);
    this.#texts.set(event, before === undefined ? line : `${before}; ${line}`);
  }
}

const everything = new Selection([], []);
