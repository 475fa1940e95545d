/**
 * Decodes a dump, a stream of bytes, into items, in bounded memory: one block, and a few words for
 * each open connection. Pure: it runs in a browser as well.
 *
 * It trusts nothing: it verifies every checksum, every record must continue its stream where the
 * last one ended, and every connection must pass through its phases. Anything else is a {@link
 * DumpError}.
 */
import type { ConnectionNumber, ContainerIndex } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { foldName } from "../../base/container-name.ts";
import { DumpError } from "../../base/errors.ts";
import type { Family } from "../../base/units.ts";
import { addressBytesOf, parseAddress } from "../../net/address.ts";
import { type Block, BlockReader } from "./framing.ts";
import { type Phase, phaseAfter } from "./lifecycle.ts";
import {
  blockCheckHolds,
  BlockProblem,
  check,
  type ContainerEnd,
  foreignBeginning,
  isOurSection,
  readContainer,
  readContainerEnd,
  readSection,
  type SectionFacts,
} from "./metadata.ts";
import { BlockType } from "./pcapng.ts";
import { containerOfMac, type DumpRecord, type NamedEnd, readEnds, readRecord } from "./record.ts";
import {
  type ContainerInfo,
  type Endpoint,
  ethernetHeaderBytes,
  longestStreamBytes,
  maxOpenConnections,
  recordHeaderBytes,
  RecordKind,
  type RunInfo,
} from "./schema.ts";
import { syntheticHeaderBytes } from "../../net/synthetic.ts";

/** A connection of the recording. All its items share one object. */
interface DumpConnection {
  /** From 1, in the order of the connection attempts. */
  readonly number: ConnectionNumber;
  readonly family: Family;
  readonly client: Endpoint;
  readonly server: Endpoint;
}

/** The first item: the recorded run. */
export interface RunItem {
  readonly type: "run";
  readonly run: RunInfo;
}

/** An event of a connection. */
export interface StreamItem {
  readonly type: "stream";
  readonly kind: Exclude<RecordKind, typeof RecordKind.packet>;
  readonly connection: DumpConnection;
  /** Which side caused it: `toServer` means the client. */
  readonly direction: Direction;
  /** Nanoseconds since the run's start. */
  readonly atNs: number;
  /** The number of bytes of this direction before this item. */
  readonly streamOffset: number;
  /**
   * How many of them the file lacks, right before this item. Only imported recordings lack bytes.
   */
  readonly missingBytes: number;
  /** The bytes, if `kind` is `data`; valid until the next `push`. */
  readonly payload: Uint8Array;
  /** The file offsets of `payload` and of its record. */
  readonly payloadPosition: number;
  readonly position: number;
}

/** A packet other than TCP. */
export interface PacketItem {
  readonly type: "packet";
  /** The sending and the receiving container, which may be `everyone`. */
  readonly sender: ContainerIndex;
  readonly receiver: ContainerIndex;
  readonly atNs: number;
  /** The packet from its IP header on; valid until the next `push`. */
  readonly packet: Uint8Array;
  readonly packetPosition: number;
  readonly position: number;
}

/**
 * At the end, for each container: how its command ended. Missing if the recording was cut short.
 */
export interface ExitItem extends ContainerEnd {
  readonly type: "exit";
}

export type DumpItem = RunItem | StreamItem | PacketItem | ExitItem;

/** How the file ended. */
export interface DumpEnd {
  /** Whether the recording was completed. */
  readonly complete: boolean;
  /** The start of a torn tail, which was ignored. */
  readonly tornAt: number | undefined;
}

interface OpenConnection {
  readonly connection: DumpConnection;
  readonly sentBytes: [number, number];
  phase: Phase;
}

export interface DecoderOptions {
  /** The file's name in messages. */
  readonly name?: string;
}

export class DumpDecoder {
  readonly #name: string;
  readonly #blocks: BlockReader;
  #section: SectionFacts | undefined;
  readonly #containers: ContainerInfo[] = [];
  readonly #names: Set<string> = new Set<string>();
  /** By container. */
  readonly #addresses: Uint8Array[][] = [];
  #startHigh = 0;
  #startLow = 0;
  readonly #open: Map<number, OpenConnection> = new Map<number, OpenConnection>();
  #lastConnection = 0;
  #exits = 0;

  constructor(options: DecoderOptions = {}) {
    this.#name = options.name ?? "the dump";
    this.#blocks = new BlockReader(this.#name);
  }

  /**
   * Takes the file's next bytes. Call {@link next} until it returns undefined before you push more.
   */
  push(chunk: Uint8Array): void {
    this.#blocks.push(chunk);
  }

  /** The next item, or undefined when more bytes are needed. */
  next(): DumpItem | undefined {
    if (this.#section === undefined) this.#judgeBeginning(false);
    for (let block = this.#blocks.next(); block !== undefined; block = this.#blocks.next()) {
      const item = this.#read(block);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** After the last byte and the last item. */
  end(): DumpEnd {
    const tornAt = this.#blocks.end();
    if (this.#section === undefined) this.#judgeBeginning(true);
    if (!this.#headerIsWhole) {
      const what = this.#blocks.length === 0 ? "is empty" : "ends within its header";
      throw new DumpError(
        `${this.#name} ${what}: it holds no recording`,
        tornAt ?? this.#blocks.length,
      );
    }
    const complete = this.#exits === this.#containers.length && tornAt === undefined;
    return { complete, tornAt };
  }

  #judgeBeginning(atEnd: boolean): void {
    const foreign = foreignBeginning(this.#blocks.front, atEnd);
    if (foreign !== undefined) throw this.#notADump(foreign);
  }

  #notADump(what: string): DumpError {
    return new DumpError(`${this.#name} is not a plg dump: ${what}`, 0);
  }

  get #headerIsWhole(): boolean {
    return this.#section !== undefined && this.#containers.length === this.#section.containers;
  }

  /** Reads a block. A problem becomes a {@link DumpError} with the block's offset. */
  #read(block: Block): DumpItem | undefined {
    try {
      return this.#readBlock(block);
    } catch (error) {
      if (!(error instanceof BlockProblem)) throw error;
      throw new DumpError(`${this.#name} is damaged: ${error.message}`, block.position);
    }
  }

  #readBlock(block: Block): DumpItem | undefined {
    switch (block.type) {
      case BlockType.sectionHeader:
        return this.#readSection(block);
      case BlockType.interfaceDescription:
        return this.#readContainer(block);
      case BlockType.enhancedPacket:
        return this.#readEvent(block);
      case BlockType.interfaceStatistics:
        return this.#readExit(block);
      case BlockType.padding:
        return undefined;
      default: // Name resolution and TLS keys serve other readers.
        check(blockCheckHolds(block), "a block's check sum does not match");
        return undefined;
    }
  }

  #readSection(block: Block): RunItem | undefined {
    check(this.#section === undefined, "a second recording begins: two dumps were joined");
    if (!isOurSection(block)) throw this.#notADump("it is a pcapng file of another program");
    this.#section = readSection(block);
    this.#startHigh = Number(this.#section.run.startNs >> 32n);
    this.#startLow = Number(this.#section.run.startNs & 0xffff_ffffn);
    return this.#runIfWhole();
  }

  #readContainer(block: Block): RunItem | undefined {
    check(!this.#headerIsWhole, "there are more interfaces than containers");
    check(this.#section !== undefined, "an interface is out of place");
    const { length } = this.#containers;
    const container = readContainer(block, this.#section.subnets, length);
    const name = foldName(container.name);
    check(!this.#names.has(name), "two containers have one name");
    this.#names.add(name);
    this.#containers.push(container);
    this.#addresses.push(container.addresses.map((text) => parseAddress(text) as Uint8Array));
    return this.#runIfWhole();
  }

  #runIfWhole(): RunItem | undefined {
    if (this.#section === undefined || !this.#headerIsWhole) return undefined;
    return { type: "run", run: { ...this.#section.run, containers: this.#containers } };
  }

  #readExit(block: Block): ExitItem {
    const end = readContainerEnd(block);
    check(
      this.#headerIsWhole && end.container === this.#exits,
      "a statistics block is out of place",
    );
    this.#exits++;
    return { type: "exit", ...end };
  }

  #readEvent(block: Block): StreamItem | PacketItem {
    const record = readRecord(block);
    check(this.#headerIsWhole && this.#exits === 0, "a record is out of place");
    check(record.container < this.#containers.length, "a record has an unknown interface");
    return record.kind === RecordKind.packet
      ? this.#packetItem(block, record)
      : this.#streamItem(block, record, record.kind);
  }

  #packetItem(block: Block, record: DumpRecord): PacketItem {
    const receiver = containerOfMac(block.bytes, recordHeaderBytes);
    check(receiver < this.#containers.length, "a packet has an unknown receiver");
    const from = recordHeaderBytes + ethernetHeaderBytes;
    return {
      type: "packet",
      sender: record.container,
      receiver,
      atNs: this.#sinceStart(record),
      packet: block.bytes.subarray(from, recordHeaderBytes + record.capturedBytes),
      packetPosition: block.position + from,
      position: block.position,
    };
  }

  #streamItem(block: Block, record: DumpRecord, kind: StreamItem["kind"]): StreamItem {
    const open = kind === RecordKind.connect ? this.#begin(block, record) : this.#advance(record);
    const { connection, sentBytes } = open;
    const payloadAt = recordHeaderBytes + syntheticHeaderBytes(connection.family);
    const payloadBytes = recordHeaderBytes + record.capturedBytes - payloadAt;
    check(record.family === connection.family, "a record is not of its connection's family");
    check(
      kind === RecordKind.data ? payloadBytes > 0 : payloadBytes === 0,
      "a record has a wrong length for its kind",
    );
    const missingBytes = record.streamOffset - sentBytes[record.direction];
    check(
      record.isAfterGap
        ? missingBytes > 0 && record.streamOffset <= longestStreamBytes
        : missingBytes === 0,
      `connection ${connection.number} goes on at byte ${record.streamOffset} where it should at ${sentBytes[record.direction]}`,
    );
    sentBytes[record.direction] += missingBytes + payloadBytes;
    return {
      type: "stream",
      kind,
      connection,
      direction: record.direction,
      atNs: this.#sinceStart(record),
      streamOffset: record.streamOffset,
      missingBytes,
      payload: block.bytes.subarray(payloadAt, payloadAt + payloadBytes),
      payloadPosition: block.position + payloadAt,
      position: block.position,
    };
  }

  #begin(block: Block, record: DumpRecord): OpenConnection {
    const number = record.connection;
    check(number === this.#lastConnection + 1, "a connection has a wrong number");
    check(record.direction === Direction.toServer, "a connection attempt comes from the server");
    check(this.#open.size < maxOpenConnections, "too many connections are open at once");
    const ends = readEnds(block, record);
    check(
      ends.client.container === record.container,
      "a connection attempt is another container's",
    );
    const client = this.#endpoint(block, record, ends.client);
    const server = this.#endpoint(block, record, ends.server);
    this.#lastConnection = number;
    const connection = { number, family: record.family, client, server };
    const open: OpenConnection = { connection, sentBytes: [0, 0], phase: "connecting" };
    this.#open.set(number, open);
    return open;
  }

  /** All endpoints of a container share one address array, since there may be many connections. */
  #endpoint(
    { bytes }: Block,
    { family }: DumpRecord,
    { container, port, addressAt }: NamedEnd,
  ): Endpoint {
    const address = this.#addresses[container]?.find(
      (one) =>
        one.length === addressBytesOf(family) &&
        one.every((byte, i) => byte === bytes[addressAt + i]),
    );
    check(
      address !== undefined,
      "a connection attempt is between addresses that no containers have",
    );
    return { container, address, port };
  }

  #advance(record: DumpRecord): OpenConnection {
    const open = this.#open.get(record.connection);
    check(open !== undefined, `there is no connection ${record.connection} at this point`);
    const { client, server } = open.connection;
    const sender = record.direction === Direction.toServer ? client : server;
    check(
      sender.container === record.container,
      "a record is of a container that has no part in it",
    );
    const phase = phaseAfter(open.phase, record.kind, record.direction);
    check(phase !== undefined, `connection ${record.connection} cannot go on like this`);
    open.phase = phase;
    if (phase === "over") this.#open.delete(record.connection);
    return open;
  }

  #sinceStart({ timeHigh, timeLow }: DumpRecord): number {
    const ns = (timeHigh - this.#startHigh) * 2 ** 32 + (timeLow - this.#startLow);
    check(
      ns >= 0 && ns <= Number.MAX_SAFE_INTEGER,
      "a record is of a time before or long after its run",
    );
    return ns;
  }
}
