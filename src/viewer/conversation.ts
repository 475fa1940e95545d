/** The events of one connection in order, with their bytes; or a packet outside any connection. */
import { type EventNumber, noConnection } from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import { formatBytes } from "../base/text.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { asHex, asText } from "../report/bytes.ts";
import type { Notation } from "../report/conversation.ts";
import { kindWords, packetLabel, timeLabel } from "../report/events.ts";
import { button, element } from "./dom.ts";
import { labelOf } from "./labels.ts";
import { type LoadedDump, payloadOf } from "./load.ts";

/** The number of bytes shown at first, and each time the user asks for more. */
const pageBytes = 256 * 1024;
const pageEvents = 1000;

export class Conversation {
  readonly root: HTMLElement = element("section", "conversation");
  readonly #dump: LoadedDump;
  readonly #onEvent: (event: EventNumber) => void;
  #notation: Notation = "text";
  /** The events shown, and the chosen one. */
  #events: Uint32Array = new Uint32Array();
  #event: EventNumber | undefined;
  /** Counts the requests, so that a late answer is recognized. */
  #request = 0;

  /** `onEvent` receives the event whose heading was clicked. */
  constructor(dump: LoadedDump, onEvent: (event: EventNumber) => void) {
    this.#dump = dump;
    this.#onEvent = onEvent;
    this.#sayNothing();
  }

  /** Shows the connection of this event; or the event itself, if it is a packet. */
  show(event: EventNumber | undefined): void {
    const isOfShown = event !== undefined && this.#events.includes(event);
    this.#event = event;
    if (event === undefined) this.#sayNothing();
    else if (isOfShown && this.root.querySelector(`[data-event="${event}"]`)) this.#mark();
    else void this.#open(event);
  }

  #sayNothing(): void {
    this.#events = new Uint32Array();
    this.#request++;
    this.root.replaceChildren(
      element("p", "hint", "Choose an event or a connection to see what was said."),
    );
  }

  async #open(event: EventNumber): Promise<void> {
    const { index } = this.#dump;
    const connection = index.connection(event);
    const { connections, byConnection } = index;
    this.#events =
      connection === noConnection
        ? Uint32Array.of(event)
        : byConnection.subarray(connections.from(connection), connections.to(connection));
    const body = element("div", "said");
    this.root.replaceChildren(this.#heading(event), body);
    // Start at the chosen event if it is far from the beginning.
    const at = this.#events.indexOf(event);
    if (at < this.#endOfPage(0)) await this.#append(body, 0);
    else {
      const fromTheBeginning = button(`from the beginning (${at} events before)`, () => {
        fromTheBeginning.remove();
        body.replaceChildren();
        void this.#append(body, 0);
      });
      body.before(fromTheBeginning);
      await this.#append(body, at);
    }
    this.#mark();
  }

  #heading(event: EventNumber): HTMLElement {
    const connection = this.#dump.index.connection(event);
    const row = this.#dump.summary.connections[connection - 1];
    const title = row
      ? `#${row.number}  ${row.client}:${row.clientPort} \u2192 ${row.server}:${row.serverPort}`
      : connection !== noConnection
        ? `#${connection}`
        : "a packet";
    const facts = row
      ? `${formatBytes(row.bytesToServer)} sent, ${formatBytes(row.bytesToClient)} received, ${row.ending}`
      : "";
    const heading = element("header", "", element("h2", "", title), element("span", "", facts));
    // A packet is always shown in hexadecimal.
    if (connection === noConnection) return heading;
    const other = this.#notation === "text" ? "hexadecimal" : "text";
    const turn = button(`as ${other}`, () => {
      this.#notation = other;
      if (this.#event !== undefined) void this.#open(this.#event);
    });
    heading.append(turn);
    return heading;
  }

  /** Reads and shows a page of events, from the `from`-th on. */
  async #append(body: HTMLElement, from: number): Promise<void> {
    const request = ++this.#request;
    const page = this.#events.subarray(from, this.#endOfPage(from));
    const parts = await Promise.all([...page].map((event) => this.#part(event)));
    if (request !== this.#request) return;
    body.append(...parts);
    const left = this.#events.length - from - page.length;
    if (left === 0) return;
    const more = button(`more (${left} events are left)`, () => {
      more.remove();
      void this.#append(body, from + page.length);
    });
    body.append(more);
  }

  #endOfPage(from: number): number {
    const last = Math.min(this.#events.length, from + pageEvents);
    let at = from;
    for (let bytes = 0; at < last && bytes < pageBytes; at++)
      bytes += this.#dump.index.lengthBytes(this.#events[at] as number);
    return at;
  }

  async #part(event: EventNumber): Promise<HTMLElement> {
    const { index } = this.#dump;
    const kind = index.kind(event);
    const names = [index.sender(event), index.receiver(event)].map(
      (container) => index.run.containers[container]?.name ?? "all",
    );
    const side = index.direction(event) === Direction.toServer ? "client" : "server";
    const bytes = await payloadOf(this.#dump, event);
    const label =
      kind === RecordKind.packet
        ? `${packetLabel(bytes)}, to ${names[1]}: ${labelOf(index, event)}`
        : labelOf(index, event);
    const said = this.#dump.texts.of(event);
    const texts = [timeLabel(index.timeNs(event)), names[0], label, ...(said ? [said] : [])];
    const heading = element("h3", "", texts.join("  "));
    heading.addEventListener("click", () => this.#onEvent(event));
    const part = element("div", `part ${side} kind-${kindWords[kind]}`, heading);
    part.dataset["event"] = String(event);
    if (bytes.length > 0) part.append(this.#written(event, bytes));
    return part;
  }

  /** A packet is never text: its headers come first. */
  #written(event: EventNumber, bytes: Uint8Array): HTMLElement {
    const isPacket = this.#dump.index.kind(event) === RecordKind.packet;
    if (this.#notation === "text" && !isPacket) return element("pre", "text", asText(bytes));
    const offset = isPacket ? 0 : this.#dump.index.streamOffset(event);
    return element("pre", "hexadecimal", asHex(bytes, offset));
  }

  #mark(): void {
    for (const part of this.root.querySelectorAll(".part.chosen")) part.classList.remove("chosen");
    const part = this.root.querySelector(`[data-event="${this.#event}"]`);
    part?.classList.add("chosen");
    part?.scrollIntoView({ block: "nearest" });
  }
}
