/**
 * All messages of a run in order, a line each: decoded where the protocol is known, and a question in
 * one line with its answer. Folds the decoder's items.
 *
 * A line is complete when its answer has come. So lines are held back, a bounded number of them; an
 * answer that comes later than that has a line of its own. Lines also wait because a message is
 * recognized with its last byte, and its place is that of its first.
 */
import { Direction } from "../base/direction.ts";
import type { PacketItem, StreamItem } from "../dump/format/decoder.ts";
import { type Phase, phaseAfter } from "../dump/format/lifecycle.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";
import { ConnectionDecoder } from "../protocol/connection-decoder.ts";
import type { Moment } from "../protocol/input.ts";
import type { Message } from "../protocol/message.ts";
import { eventLabel } from "./events.ts";
import { describePacket } from "./packets.ts";
import type { EventFacts, Selection } from "./selection.ts";

/** A line. Its texts may contain anything. */
export interface TimelineLine {
  /** The event at which it begins: its number, and its time since the run's start. */
  readonly moment: Moment;
  /** 0 for a packet. */
  readonly connection: number;
  readonly from: string;
  /** `all` for a packet to no single container. */
  readonly to: string;
  /** The protocol, for a message of one. */
  readonly protocol: string | undefined;
  /** `GET /items/3`, `connects to port 80`; for bytes that nobody understands, their beginning. */
  readonly text: string;
  /** Of such bytes: how many there are. */
  readonly lengthBytes: number | undefined;
  readonly answer: Answer | undefined;
}

/** What came back. */
interface Answer {
  readonly text: string;
  readonly moment: Moment;
  /** Since the question, from first byte to first byte. */
  readonly afterNs: number;
}

type OpenLine = { -readonly [K in keyof TimelineLine]: TimelineLine[K] } & { isOut: boolean };

/** As many lines wait for their answers. */
const mostHeld = 10_000;
/** As many questions of a connection, or in datagrams, are remembered. */
const mostQuestions = 10_000;

/** The number by which `accept` and `refuse` answer `connect`; those of messages begin at 1. */
const connecting = 0;

interface Talk {
  readonly decoder: ConnectionDecoder;
  readonly questions: Map<number | string, OpenLine>;
  readonly facts: Omit<EventFacts, "kind" | "sender" | "receiver" | "atNs">;
  readonly ends: readonly [client: number, server: number];
  phase: Phase;
}

export class Timeline {
  readonly #names: readonly string[];
  readonly #selection: Selection;
  readonly #talks = new Map<number, Talk>();
  readonly #datagrams = new Map<number | string, OpenLine>();
  /** In order. */
  readonly #held: OpenLine[] = [];

  constructor({ containers }: RunInfo, selection: Selection) {
    this.#names = containers.map(({ name }) => name);
    this.#selection = selection;
  }

  /**
   * Takes the next event, whose number is that of the one before or larger, and whose bytes are not
   * kept; returns the lines that are complete, in order.
   */
  add(item: StreamItem | PacketItem, event: number): readonly TimelineLine[] {
    const moment = { event, atNs: item.atNs };
    if (item.type === "packet") this.#addPacket(item, moment);
    else this.#addStreamEvent(item, moment);
    return this.#held.length > 2 * mostHeld ? this.#take(mostHeld) : [];
  }

  /** After the last event: all lines that are left. */
  finish(): readonly TimelineLine[] {
    for (const talk of this.#talks.values()) this.#close(talk);
    return this.#take(this.#held.length);
  }

  #addStreamEvent(item: StreamItem, moment: Moment): void {
    const { number } = item.connection;
    const talk = this.#talks.get(number) ?? this.#begin(item);
    if (item.kind === RecordKind.data)
      for (const message of talk.decoder.push(item.direction, item.payload, moment))
        this.#addMessage(talk, message);
    else this.#addChange(talk, item, moment);
    talk.phase = phaseAfter(talk.phase, item.kind, item.direction) ?? talk.phase;
    if (talk.phase !== "over") return;
    this.#close(talk);
    this.#talks.delete(number);
  }

  #begin({ connection }: StreamItem): Talk {
    const { number, client, server } = connection;
    const talk: Talk = {
      decoder: new ConnectionDecoder(),
      questions: new Map(),
      facts: { connection: number, clientPort: client.port, serverPort: server.port },
      ends: [client.container, server.container],
      phase: "connecting",
    };
    this.#talks.set(number, talk);
    return talk;
  }

  #close(talk: Talk): void {
    for (const message of talk.decoder.end()) this.#addMessage(talk, message);
  }

  /** The connection begins, is accepted or refused, or ends. */
  #addChange(talk: Talk, { kind, direction }: StreamItem, moment: Moment): void {
    const text = eventLabel(kind, 0, talk.facts.serverPort);
    const isAnswer = kind === RecordKind.accept || kind === RecordKind.refuse;
    const question = kind === RecordKind.connect ? connecting : undefined;
    const answers = isAnswer ? connecting : undefined;
    const facts = factsOf(talk, kind, direction, moment);
    this.#say(talk.questions, facts, { text, moment, question, answers });
  }

  #addMessage(talk: Talk, message: Message): void {
    const facts = factsOf(talk, RecordKind.data, message.direction, message.moment);
    this.#say(talk.questions, facts, message);
  }

  #addPacket({ sender, receiver, packet }: PacketItem, moment: Moment): void {
    const { text, protocol, question, answers } = describePacket(packet);
    const flow = { connection: 0, clientPort: 0, serverPort: 0, sender, receiver };
    const facts = { ...flow, kind: RecordKind.packet, atNs: moment.atNs };
    this.#say(this.#datagrams, facts, { text, protocol, moment, question, answers });
  }

  /** Adds a line, or completes the one of the question that this answers. */
  #say(questions: Talk["questions"], facts: EventFacts, said: Said): void {
    const asked = said.answers === undefined ? undefined : questions.get(said.answers);
    if (said.answers !== undefined) questions.delete(said.answers);
    if (asked && !asked.isOut) {
      const afterNs = said.moment.atNs - asked.moment.atNs;
      asked.answer = { text: said.text, moment: said.moment, afterNs };
      return;
    }
    const line = this.#line(
      facts,
      asked ? { ...said, text: `${said.text} (to ${asked.text})` } : said,
    );
    if (said.question !== undefined) {
      if (questions.size >= mostQuestions) questions.delete(questions.keys().next().value ?? 0);
      questions.set(said.question, line);
    }
    if (this.#selection.passes(facts)) this.#hold(line);
  }

  #line({ connection, sender, receiver }: EventFacts, said: Said): OpenLine {
    return {
      moment: said.moment,
      connection,
      from: this.#names[sender] ?? "",
      to: this.#names[receiver] ?? "all",
      protocol: said.protocol,
      text: said.text,
      lengthBytes: said.lengthBytes,
      answer: undefined,
      isOut: false,
    };
  }

  /** Most lines are the last one; a message that took long goes to where it began. */
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
    return lines.filter(({ text, answer }) =>
      this.#selection.matches(answer ? `${text} \u2192 ${answer.text}` : text),
    );
  }
}

/** What a line says, as a message has it. */
interface Said {
  readonly text: string;
  readonly moment: Moment;
  readonly protocol?: string | undefined;
  readonly lengthBytes?: number;
  readonly question?: number | string | undefined;
  readonly answers?: number | string | undefined;
}

function factsOf(
  { facts, ends: [client, server] }: Talk,
  kind: RecordKind,
  direction: Direction,
  { atNs }: Moment,
): EventFacts {
  const [sender, receiver] = direction === Direction.toServer ? [client, server] : [server, client];
  // Spelled out: a spread takes longer than all the rest of a line.
  const { connection, clientPort, serverPort } = facts;
  return { kind, connection, clientPort, serverPort, sender, receiver, atNs };
}
