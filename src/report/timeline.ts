/**
 * The timeline: all messages of a run in order, one line each. Messages of a known protocol are
 * decoded, and a question shares its line with its answer. Folds the decoder's items.
 *
 * A line is complete when its answer has arrived, so lines are held back, up to a limit. An answer
 * after that gets its own line. Holding lines back also puts a message in its place: its last byte
 * completes it, but its first byte decides its position.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  type EventNumber,
  noConnection,
} from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import type { PacketItem, StreamItem } from "../dump/format/decoder.ts";
import { type Phase, phaseAfter } from "../dump/format/lifecycle.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import { ConnectionDecoder } from "../protocol/connection-decoder.ts";
import type { Moment } from "../protocol/input.ts";
import type { Message } from "../protocol/message.ts";
import { eventLabel } from "./events.ts";
import { MessageSearch, type Searched } from "./message-search.ts";
import { describePacket } from "./packets.ts";
import type { EventFacts, Selection } from "./selection.ts";

/** A line. Its texts may contain any character. */
export interface TimelineLine {
  /** The event at which it begins: its number, and its time since the run's start. */
  readonly moment: Moment;
  /** 0 for a packet. */
  readonly connection: ConnectionNumber;
  readonly from: string;
  /** `all` for a packet to no single container. */
  readonly to: string;
  /** The protocol of a decoded message. */
  readonly protocol: string | undefined;
  /** `GET /items/3`, `connects to port 80`; for undecoded bytes, their beginning. */
  readonly text: string;
  /** The number of undecoded bytes. */
  readonly lengthBytes: number | undefined;
  readonly answer: Answer | undefined;
}

/** The answer to a question. */
interface Answer {
  readonly text: string;
  readonly moment: Moment;
  /** Since the question, from first byte to first byte. */
  readonly afterNs: number;
}

type OpenLine = { -readonly [K in keyof TimelineLine]: TimelineLine[K] } & Searched & {
    isOut: boolean;
    /** Whether an answer is expected. */
    readonly isAsking: boolean;
  };

/** The most lines that wait for their answers. */
const mostHeld = 10_000;
/** The most open questions of a connection, or of all datagrams. */
const mostQuestions = 10_000;

/** The key that pairs `accept` and `refuse` with `connect`. */
const connecting = "connect";

interface TrackedConnection {
  readonly decoder: ConnectionDecoder;
  readonly questions: Map<number | string, OpenLine>;
  readonly facts: Omit<EventFacts, "kind" | "sender" | "receiver" | "atNs">;
  readonly ends: readonly [client: ContainerIndex, server: ContainerIndex];
  /** By direction; undefined without a search. */
  readonly searches: readonly [MessageSearch, MessageSearch] | undefined;
  phase: Phase;
}

export class Timeline {
  readonly #names: readonly string[];
  readonly #selection: Selection;
  readonly #tracked = new Map<number, TrackedConnection>();
  readonly #datagrams = new Map<number | string, OpenLine>();
  /** In order of their events. */
  readonly #held: OpenLine[] = [];

  constructor({ containers }: RunInfo, selection: Selection) {
    this.#names = containers.map(({ name }) => name);
    this.#selection = selection;
  }

  /**
   * Takes the next event. Event numbers must not decrease, and the event's bytes are not kept.
   * Returns the completed lines in order.
   */
  add(item: StreamItem | PacketItem, event: EventNumber): readonly TimelineLine[] {
    const moment = { event, atNs: item.atNs };
    if (item.type === "packet") this.#addPacket(item, moment);
    else this.#addStreamEvent(item, moment);
    return this.#held.length > 2 * mostHeld ? this.#take(mostHeld) : [];
  }

  /**
   * Returns the lines that need not wait for more events: up to the first one without its answer
   * that began after `untilNs`.
   */
  settle(untilNs: number): readonly TimelineLine[] {
    const waiting = this.#held.findIndex(
      ({ isAsking, answer, moment }) => isAsking && answer === undefined && moment.atNs > untilNs,
    );
    return this.#take(waiting < 0 ? this.#held.length : waiting);
  }

  /** Returns all remaining lines. Call it after the last event. */
  finish(): readonly TimelineLine[] {
    for (const tracked of this.#tracked.values()) this.#close(tracked);
    return this.#take(this.#held.length);
  }

  #addStreamEvent(item: StreamItem, moment: Moment): void {
    const { number } = item.connection;
    const tracked = this.#tracked.get(number) ?? this.#begin(item);
    tracked.searches?.[item.direction].push(item.payload);
    if (item.kind === RecordKind.data)
      for (const message of tracked.decoder.push(item.direction, item.payload, moment))
        this.#addMessage(tracked, message);
    else this.#addChange(tracked, item, moment);
    tracked.phase = phaseAfter(tracked.phase, item.kind, item.direction) ?? tracked.phase;
    if (tracked.phase !== "over") return;
    this.#close(tracked);
    this.#tracked.delete(number);
  }

  #begin({ connection }: StreamItem): TrackedConnection {
    const { number, client, server } = connection;
    const tracked: TrackedConnection = {
      decoder: new ConnectionDecoder(),
      questions: new Map(),
      facts: { connection: number, clientPort: client.port, serverPort: server.port },
      ends: [client.container, server.container],
      searches: this.#searches(),
      phase: "connecting",
    };
    this.#tracked.set(number, tracked);
    return tracked;
  }

  #searches(): TrackedConnection["searches"] {
    if (!this.#selection.selectsText) return undefined;
    const { patterns } = this.#selection;
    return [new MessageSearch(patterns), new MessageSearch(patterns)];
  }

  #close(tracked: TrackedConnection): void {
    for (const message of tracked.decoder.end()) this.#addMessage(tracked, message);
    for (const search of tracked.searches ?? []) search.settle();
  }

  /** Adds a line for the connection's beginning, acceptance, refusal or end. */
  #addChange(tracked: TrackedConnection, { kind, direction }: StreamItem, moment: Moment): void {
    const text = eventLabel(kind, 0, tracked.facts.serverPort);
    const isAnswer = kind === RecordKind.accept || kind === RecordKind.refuse;
    const question = kind === RecordKind.connect ? connecting : undefined;
    const answers = isAnswer ? connecting : undefined;
    const facts = factsOf(tracked, kind, direction, moment);
    this.#enter(tracked.questions, facts, { text, moment, question, answers });
  }

  #addMessage(tracked: TrackedConnection, message: Message): void {
    const facts = factsOf(tracked, RecordKind.data, message.direction, message.moment);
    const line = this.#enter(tracked.questions, facts, message);
    tracked.searches?.[message.direction].begin(line, message.offset);
  }

  #addPacket({ sender, receiver, packet }: PacketItem, moment: Moment): void {
    const { text, protocol, question, answers } = describePacket(packet);
    const flow = { connection: noConnection, clientPort: 0, serverPort: 0, sender, receiver };
    const facts = { ...flow, kind: RecordKind.packet, atNs: moment.atNs };
    this.#enter(this.#datagrams, facts, { text, protocol, moment, question, answers });
  }

  /** Adds a line, or completes the line of the question that this answers. Returns the line. */
  #enter(questions: TrackedConnection["questions"], facts: EventFacts, entry: Entry): OpenLine {
    const asked = entry.answers === undefined ? undefined : questions.get(entry.answers);
    if (entry.answers !== undefined) questions.delete(entry.answers);
    if (asked && !asked.isOut) {
      const afterNs = entry.moment.atNs - asked.moment.atNs;
      asked.answer = { text: entry.text, moment: entry.moment, afterNs };
      return asked;
    }
    const line = this.#line(
      facts,
      asked ? { ...entry, text: `${entry.text} (to ${asked.text})` } : entry,
    );
    if (entry.question !== undefined) {
      if (questions.size >= mostQuestions) questions.delete(questions.keys().next().value ?? 0);
      questions.set(entry.question, line);
    }
    if (this.#selection.passes(facts)) this.#hold(line);
    return line;
  }

  #line({ connection, sender, receiver }: EventFacts, entry: Entry): OpenLine {
    return {
      moment: entry.moment,
      connection,
      from: this.#names[sender] ?? "",
      to: this.#names[receiver] ?? "all",
      protocol: entry.protocol,
      text: entry.text,
      lengthBytes: entry.lengthBytes,
      answer: undefined,
      isOut: false,
      isAsking: entry.question !== undefined,
      found: undefined,
    };
  }

  /** Inserts a line by its first event. Most lines go last; a message that took long moves up. */
  #hold(line: OpenLine): void {
    let place = this.#held.length;
    while (place > 0 && (this.#held[place - 1] as OpenLine).moment.event > line.moment.event)
      place--;
    if (place === this.#held.length) this.#held.push(line);
    else this.#held.splice(place, 0, line);
  }

  #take(count: number): readonly TimelineLine[] {
    const lines = this.#held.splice(0, count);
    for (const line of lines) line.isOut = true;
    if (!this.#selection.selectsText) return lines;
    for (const { searches } of this.#tracked.values())
      for (const search of searches ?? []) search.settle();
    return lines.filter(({ text, answer, found }) =>
      this.#selection.matches(answer ? `${text} \u2192 ${answer.text}` : text, found),
    );
  }
}

/** The content of a line. */
interface Entry {
  readonly text: string;
  readonly moment: Moment;
  readonly protocol?: string | undefined;
  readonly lengthBytes?: number;
  readonly question?: number | string | undefined;
  readonly answers?: number | string | undefined;
}

function factsOf(
  { facts, ends: [client, server] }: TrackedConnection,
  kind: RecordKind,
  direction: Direction,
  { atNs }: Moment,
): EventFacts {
  const [sender, receiver] = direction === Direction.toServer ? [client, server] : [server, client];
  // Spelled out, because a spread takes longer than the rest of a line together.
  const { connection, clientPort, serverPort } = facts;
  return { kind, connection, clientPort, serverPort, sender, receiver, atNs };
}
