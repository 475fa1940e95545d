/**
 * Reads a dump for programs: its containers, connections, messages and bytes. Pure: it runs in a
 * browser as well. Each iteration reads the dump from its beginning, in bounded memory.
 */
import { Direction } from "../../base/direction.ts";
import type { Family } from "../../base/units.ts";
import {
  DumpDecoder,
  type DumpEnd,
  type DumpItem,
  type StreamItem,
} from "../../dump/format/decoder.ts";
import { RecordKind, type RunInfo } from "../../dump/format/schema.ts";
import { ConnectionDecoder } from "../../protocol/connection-decoder.ts";
import type { Message } from "../../protocol/message.ts";
import { type ConnectionRow } from "../../report/connections.ts";
import { SummaryFold } from "../../report/summary.ts";

/** The bytes of a dump: given whole, or read in pieces, from the beginning each time. */
export type DumpBytes = Uint8Array | Blob | (() => AsyncIterable<Uint8Array>);

/** A container of a dump. */
export interface DumpContainer {
  readonly name: string;
  /** One in each subnet of the run; an imported host has its own. */
  readonly addresses: readonly string[];
  /** What `/bin/sh -c` ran in it; undefined for a process that called plg, and imported hosts. */
  readonly command: string | undefined;
}

/** A connection of a dump. Times are in milliseconds since the run's start. */
export interface DumpConnection {
  /** From 1, in the order of the connection attempts. */
  readonly number: number;
  /** The containers' names. */
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly family: Family;
  readonly atMs: number;
  /** The time until its last event. */
  readonly durationMs: number;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
  /** How it ended: `closed`, `refused`, `reset by server`, and so on; `open` if it did not. */
  readonly ending: ConnectionRow["ending"];
}

/** A message on a connection: decoded, if plg knows the protocol, otherwise a piece of bytes. */
export interface DumpMessage {
  /** The connection's number. */
  readonly connection: number;
  /** The containers' names. */
  readonly from: string;
  readonly to: string;
  /** When its first byte was received, in milliseconds since the run's start. */
  readonly atMs: number;
  /** For example `HTTP/1`; undefined for bytes that plg does not decode. */
  readonly protocol: string | undefined;
  /**
   * One line, for example `GET /orders`; for other bytes, their beginning. It may hold any
   * character.
   */
  readonly text: string;
  /** The offset of its first byte in what `from` sent on the connection. */
  readonly offset: number;
  /** A number of its own on the connection, if it expects an answer. */
  readonly question: number | undefined;
  /** The `question` that it answers. */
  readonly answers: number | undefined;
}

/** Which messages to read. */
export interface MessageChoice {
  /** Only those of the connection with this number. @default all */
  readonly connection?: number | undefined;
}

/** How the dump ends. */
export interface DumpState {
  /** Whether it holds the run to its end. */
  readonly isComplete: boolean;
  /** From the run's start to the last event, in milliseconds. */
  readonly durationMs: number;
}

/** A dump that was opened. It holds no file open. */
export class Dump {
  /** When the run began. */
  readonly startedAt: Date;
  /** In the order of their addresses. */
  readonly containers: readonly DumpContainer[];
  /** The version of the plg that wrote it. */
  readonly toolVersion: string;
  readonly #name: string;
  readonly #bytes: DumpBytes;

  private constructor(name: string, bytes: DumpBytes, run: RunInfo) {
    this.#name = name;
    this.#bytes = bytes;
    this.startedAt = new Date(Number(run.startNs / 1_000_000n));
    this.toolVersion = run.toolVersion;
    this.containers = run.containers.map(({ name: container, addresses, command }) => ({
      name: container,
      addresses,
      command: command === "" ? undefined : command,
    }));
  }

  /**
   * Opens a dump. `name` stands for it in errors.
   *
   * @throws {DumpError} If the bytes are no dump, or a damaged one.
   */
  static async open(bytes: DumpBytes, name: string = "the dump"): Promise<Dump> {
    const items = itemsOf(bytes, name);
    // The first item is the run, or there is an error.
    const first = await items.next();
    await items.return({ complete: false, tornAt: undefined });
    return new Dump(name, bytes, (first.value as Extract<DumpItem, { type: "run" }>).run);
  }

  /** The connections, in the order of the attempts. */
  async *connections(): AsyncGenerator<DumpConnection, void, undefined> {
    const fold = new SummaryFold();
    const end = await this.#fold((item) => fold.add(item));
    for (const row of fold.summary(end).connections) yield connectionOf(row);
  }

  /** The messages, in the order in which they were complete. */
  async *messages({ connection }: MessageChoice = {}): AsyncGenerator<
    DumpMessage,
    void,
    undefined
  > {
    const open = new Map<number, Conversation>();
    for await (const item of itemsOf(this.#bytes, this.#name)) {
      if (
        item.type !== "stream" ||
        (connection ?? item.connection.number) !== item.connection.number
      )
        continue;
      const { number } = item.connection;
      const conversation = open.get(number) ?? new Conversation(item, this.containers);
      open.set(number, conversation);
      yield* conversation.add(item);
    }
    for (const conversation of open.values()) yield* conversation.end();
  }

  /**
   * The bytes that one side sent on a connection, in pieces. A piece is valid until the next one is
   * requested.
   */
  async *bytes(
    connection: number,
    direction: "to server" | "to client",
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const wanted = direction === "to server" ? Direction.toServer : Direction.toClient;
    for await (const item of itemsOf(this.#bytes, this.#name))
      if (item.type === "stream" && item.kind === RecordKind.data)
        if (item.connection.number === connection && item.direction === wanted) yield item.payload;
  }

  /** Reads the dump to its end. Throws a {@link DumpError} if it is damaged. */
  async state(): Promise<DumpState> {
    let lastNs = 0;
    const end = await this.#fold((item) => {
      if ("atNs" in item) lastNs = item.atNs;
    });
    return { isComplete: end.complete, durationMs: lastNs / 1e6 };
  }

  async #fold(add: (item: DumpItem) => void): Promise<DumpEnd> {
    const items = itemsOf(this.#bytes, this.#name);
    for (;;) {
      const next = await items.next();
      if (next.done) return next.value;
      add(next.value);
    }
  }
}

/** The messages of one connection. */
class Conversation {
  readonly #decoder = new ConnectionDecoder();
  readonly #connection: number;
  /** By direction: the names of the sender and the receiver. */
  readonly #ends: readonly [client: string, server: string];

  constructor({ connection }: StreamItem, containers: readonly DumpContainer[]) {
    const { number, client, server } = connection;
    this.#connection = number;
    this.#ends = [
      containers[client.container]?.name ?? "",
      containers[server.container]?.name ?? "",
    ];
  }

  add({ kind, direction, payload, atNs }: StreamItem): readonly DumpMessage[] {
    if (kind !== RecordKind.data) return [];
    return this.#decoder
      .push(direction, payload, { event: 0, atNs })
      .map((one) => this.#named(one));
  }

  end(): readonly DumpMessage[] {
    return this.#decoder.end().map((one) => this.#named(one));
  }

  #named({ direction, offset, moment, protocol, text, question, answers }: Message): DumpMessage {
    const [client, server] = this.#ends;
    const [from, to] = direction === Direction.toServer ? [client, server] : [server, client];
    const atMs = moment.atNs / 1e6;
    return {
      connection: this.#connection,
      from,
      to,
      atMs,
      protocol,
      text,
      offset,
      question,
      answers,
    };
  }
}

function connectionOf({ startNs, durationNs, ...row }: ConnectionRow): DumpConnection {
  const { number, client, server, clientPort, serverPort, family } = row;
  const { bytesToServer, bytesToClient, ending } = row;
  const times = { atMs: startNs / 1e6, durationMs: durationNs / 1e6 };
  const ends = { client, server, clientPort, serverPort, family };
  return { number, ...ends, ...times, bytesToServer, bytesToClient, ending };
}

async function* itemsOf(
  bytes: DumpBytes,
  name: string,
): AsyncGenerator<DumpItem, DumpEnd, undefined> {
  const decoder = new DumpDecoder({ name });
  for await (const piece of piecesOf(bytes)) {
    decoder.push(piece);
    for (let item = decoder.next(); item !== undefined; item = decoder.next()) yield item;
  }
  return decoder.end();
}

/** The bytes of a blob that are in memory at once. */
const pieceBytes = 1 << 20;

async function* piecesOf(bytes: DumpBytes): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof bytes === "function") yield* bytes();
  else if (bytes instanceof Uint8Array) yield bytes;
  else
    for (let at = 0; at < bytes.size; at += pieceBytes)
      yield new Uint8Array(await bytes.slice(at, at + pieceBytes).arrayBuffer());
}
