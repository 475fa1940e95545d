/**
 * The sequence of events: a lane per container, a row per event, an arrow from sender to receiver.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  type EventNumber,
  noConnection,
} from "../base/ids.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { kindWords, timeLabel } from "../report/events.ts";
import { Captions } from "./captions.ts";
import { element, hueOf } from "./dom.ts";
import { labelOf } from "./labels.ts";
import type { LoadedDump } from "./load.ts";
import { VirtualList } from "./virtual-list.ts";

/** Lanes share this width, within these bounds; narrow lanes have upright names. */
const lanesPx = 700;
const lanePx = { least: 28, most: 110, upright: 60 } as const;

export class SequenceView {
  readonly root: HTMLElement;
  readonly #dump: LoadedDump;
  readonly #captions: Captions;
  readonly #onChoose: (event: EventNumber) => void;
  readonly #head = element("div", "head sequence-row");
  readonly #list: VirtualList;
  #events: Uint32Array = new Uint32Array();
  /** The containers with a lane, from left to right, and the position of each. */
  #lanes: readonly number[] = [];
  readonly #laneOf = new Map<number, number>();
  #lanePx: number = lanePx.most;
  #chosen: number | undefined;
  #marked: ReadonlySet<number | undefined> = new Set();

  /** `onChoose` receives the event that was clicked. */
  constructor(dump: LoadedDump, onChoose: (event: EventNumber) => void) {
    this.#dump = dump;
    this.#captions = new Captions(dump);
    this.#onChoose = onChoose;
    this.#list = new VirtualList(this.#head, (row) => this.#row(row));
    this.root = this.#list.root;
    this.root.addEventListener("keydown", (key) => this.#onKey(key));
  }

  /** Shows these events, with a lane for each container that takes part in them. */
  show(events: Uint32Array): void {
    this.#events = events;
    this.#lanes = lanesOf(this.#dump, events);
    this.#laneOf.clear();
    for (const [lane, container] of this.#lanes.entries()) this.#laneOf.set(container, lane);
    const sharePx = Math.floor(lanesPx / this.#lanes.length);
    this.#lanePx = Math.max(lanePx.least, Math.min(lanePx.most, sharePx));
    this.root.style.setProperty("--lane", `${this.#lanePx}px`);
    this.root.style.setProperty("--lanes", String(this.#lanes.length));
    const names = this.#lanes.map((container) => this.#laneHead(container));
    const upright = this.#lanePx < lanePx.upright ? " upright" : "";
    const lanes = element("div", `lanes${upright}`, ...names);
    this.#head.replaceChildren(element("div", "time", "time"), lanes, element("div", "", "what"));
    this.#list.setCount(events.length);
  }

  /** Marks the events at which a replay differed. */
  mark(events: readonly (number | undefined)[]): void {
    this.#marked = new Set(events);
    this.#list.refresh();
  }

  /** Marks an event and the others of its connection. */
  choose(event: EventNumber | undefined): void {
    this.#chosen = event;
    const row = event === undefined ? -1 : rowAt(this.#events, event);
    if (row >= 0) this.#list.reveal(row);
    this.#list.refresh();
  }

  /** Scrolls to the first event at this time or later. */
  scrollTo(atNs: number): void {
    const { index } = this.#dump;
    const row = this.#events.findIndex((event) => index.timeNs(event) >= atNs);
    this.#list.reveal(row < 0 ? this.#events.length - 1 : row);
  }

  #onKey(key: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[key.key];
    if (step === undefined) return;
    key.preventDefault();
    const row = this.#chosen === undefined ? -1 : rowAt(this.#events, this.#chosen);
    const event = this.#events[row + step];
    if (event !== undefined) this.#onChoose(event);
  }

  #laneHead(container: ContainerIndex): HTMLElement {
    const { name, addresses, command } = this.#dump.index.run.containers[container] ?? {};
    const head = element("div", "lane", name ?? "?");
    head.title = `${addresses?.join(", ")}\n${command}`;
    return head;
  }

  #row(row: number): HTMLElement {
    const event = this.#events[row] as number;
    const { index } = this.#dump;
    const connection = index.connection(event);
    const text = element("span", "caption");
    void this.#captions.of(event).then((caption) => text.append(caption));
    const what = element("div", "what", element("b", "", this.#numbered(event)), " ", text);
    const made = element(
      "div",
      `sequence-row kind-${kindWords[index.kind(event)]}${this.#markOf(event, connection)}`,
      element("div", "time", timeLabel(index.timeNs(event))),
      element("div", "lanes", this.#arrow(event)),
      what,
    );
    made.style.setProperty("--hue", hueOf(connection));
    made.dataset["event"] = String(event);
    made.addEventListener("click", () => this.#onChoose(event));
    return made;
  }

  #numbered(event: EventNumber): string {
    const connection = this.#dump.index.connection(event);
    const label = labelOf(this.#dump.index, event);
    return connection === noConnection ? label : `#${connection} ${label}`;
  }

  /** Class names, each after a space. */
  #markOf(event: EventNumber, connection: ConnectionNumber): string {
    const differs = this.#marked.has(event) ? " differs" : "";
    if (this.#chosen === event) return `${differs} chosen`;
    if (this.#chosen === undefined || connection === noConnection) return differs;
    const isOfChosen = this.#dump.index.connection(this.#chosen) === connection;
    return isOfChosen ? `${differs} of-chosen` : differs;
  }

  /** An arrow to all other containers crosses all lanes. */
  #arrow(event: EventNumber): HTMLElement {
    const { index } = this.#dump;
    const from = this.#laneOf.get(index.sender(event)) ?? 0;
    const receiver = index.receiver(event);
    const to = this.#laneOf.get(receiver);
    const ends = to === undefined ? [0, this.#lanes.length - 1] : [from, to];
    const [left, right] = [Math.min(...ends), Math.max(...ends)];
    const way = to === undefined ? "everywhere" : to < from ? "leftwards" : "rightwards";
    const arrow = element("div", `arrow ${way}`);
    arrow.style.left = `${(left + 0.5) * this.#lanePx}px`;
    arrow.style.width = `${(right - left) * this.#lanePx}px`;
    return arrow;
  }
}

function lanesOf({ index }: LoadedDump, events: Uint32Array): number[] {
  const seen = new Set<number>();
  for (const event of events) {
    seen.add(index.sender(event));
    // A packet to all containers has no receiving lane.
    if (index.kind(event) !== RecordKind.packet || index.receiver(event) >= 0)
      seen.add(index.receiver(event));
  }
  return [...seen].toSorted((a, b) => a - b);
}

/** The position of `event` in the ascending `events`, or -1. */
function rowAt(events: Uint32Array, event: EventNumber): number {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle] as number) < event) low = middle + 1;
    else high = middle;
  }
  return events[low] === event ? low : -1;
}
