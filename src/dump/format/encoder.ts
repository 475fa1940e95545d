/**
 * Writes event records in place. On the data path the payload is already in its final position,
 * where the kernel received it, and the encoder writes the bytes before and after it. It allocates
 * nothing, and leaves both checksums zero: the writer thread fills them in (see checksums.ts).
 */
import { type ConnectionNumber, type ContainerIndex, everyone } from "../../base/ids.ts";
import { assert } from "../../base/assert.ts";
import { Direction } from "../../base/direction.ts";
import { type Family, type Port, hostOf } from "../../base/units.ts";
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from "../../net/packet.ts";
import {
  type SyntheticHeader,
  syntheticHeaderBytes,
  writeMac,
  writeSynthetic,
} from "../../net/synthetic.ts";
import { type Phase, phaseAfter } from "./lifecycle.ts";
import { BlockType, OptionCode } from "./pcapng.ts";
import {
  type Endpoint,
  ETH_P_IP,
  ETH_P_IPV6,
  ethernetHeaderBytes,
  formatVersion,
  RecordAt,
  recordBytes,
  RecordFlag,
  recordHeaderBytes,
  RecordKind,
  recordOptionBytes,
  recordTailBytes,
  TailAt,
} from "./schema.ts";

/** Memory that records are written to. */
export interface RecordMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** The progress of one end of a connection. */
interface SenderState {
  /** The stream bytes sent so far, including missing ones. */
  sentBytes: number;
  /** SYN (the server's SYN-ACK) and FIN each count one in TCP's sequence numbers. */
  opened: boolean;
  ended: boolean;
  /** Whether bytes are missing before the next record. */
  isAfterGap: boolean;
}

/**
 * The encoder's state of a connection. The sink creates it at `connect`, and only these two change
 * it.
 */
export interface StreamState {
  /** From 1, in the order of the connection attempts; 0 means no connection. */
  readonly number: ConnectionNumber;
  readonly family: Family;
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly clientSender: SenderState;
  readonly serverSender: SenderState;
  phase: Phase;
}

const high32 = 2 ** 32;

/** Creates the state of a connection without records. */
export function newStream(
  number: ConnectionNumber,
  family: Family,
  client: Endpoint,
  server: Endpoint,
): StreamState {
  return {
    number,
    family,
    client,
    server,
    clientSender: newSender(),
    serverSender: newSender(),
    phase: "connecting",
  };
}

function newSender(): SenderState {
  return { sentBytes: 0, opened: false, ended: false, isAfterGap: false };
}

/** Applies an event to a stream's phase. The phase must allow the event. */
export function advancePhase(stream: StreamState, kind: RecordKind, direction: Direction): void {
  const next = phaseAfter(stream.phase, kind, direction);
  assert(next !== undefined, "an event must be possible where its connection stands");
  stream.phase = next;
}

/** Notes that `lengthBytes` bytes of a direction are missing before its next record. */
export function skipMissing(stream: StreamState, direction: Direction, lengthBytes: number): void {
  const sender = direction === Direction.toServer ? stream.clientSender : stream.serverSender;
  sender.sentBytes += lengthBytes;
  sender.isAfterGap = true;
}

/** The TCP flags of each kind of event. */
const flagsOf: Readonly<Record<Exclude<RecordKind, typeof RecordKind.packet>, number>> = {
  [RecordKind.connect]: TCP_SYN,
  [RecordKind.accept]: TCP_SYN | TCP_ACK,
  [RecordKind.refuse]: TCP_RST | TCP_ACK,
  [RecordKind.data]: TCP_PSH | TCP_ACK,
  [RecordKind.end]: TCP_FIN | TCP_ACK,
  [RecordKind.reset]: TCP_RST | TCP_ACK,
};

/** Encodes the records of one run. */
export class RecordEncoder {
  readonly #startHigh: number;
  readonly #startLow: number;
  readonly #header: SyntheticHeader = emptyHeader();

  /** `startNs` is the run's start since the epoch. The `atNs` of every call is relative to it. */
  constructor(startNs: bigint) {
    this.#startHigh = Number(startNs >> 32n);
    this.#startLow = Number(startNs & 0xffff_ffffn);
  }

  /** The offset of the payload in a record at `at`. */
  static payloadAt(at: number, family: Family): number {
    return at + recordHeaderBytes + syntheticHeaderBytes(family);
  }

  /**
   * Writes a record at `at`, around `payloadBytes` bytes at {@link payloadAt}, and advances the
   * stream by them. Only `data` has a payload. `atNs` counts from the start. Returns the record's
   * length.
   */
  stream(
    memory: RecordMemory,
    at: number,
    stream: StreamState,
    kind: Exclude<RecordKind, typeof RecordKind.packet>,
    direction: Direction,
    payloadBytes: number,
    atNs: number,
  ): number {
    const forth = direction === Direction.toServer;
    const from = forth ? stream.client : stream.server;
    const sender = forth ? stream.clientSender : stream.serverSender;
    this.#writeSynthetic(memory, at, stream, kind, forth, payloadBytes);
    const capturedBytes = syntheticHeaderBytes(stream.family) + payloadBytes;
    const tail = this.#writeFrame(memory.view, at, from.container, capturedBytes, atNs);
    const flags = sender.isAfterGap ? RecordFlag.gap : 0;
    writeOption(memory.view, tail, kind, direction, flags, stream.number, sender.sentBytes);
    advance(sender, kind, payloadBytes);
    return recordBytes(capturedBytes);
  }

  /**
   * Writes the record of a packet that is not TCP: the IP packet in
   * `packet[from..from+lengthBytes)`, sent by container `sender` to container `receiver`, or to no
   * single one (-1). Returns the record's length.
   */
  packet(
    memory: RecordMemory,
    at: number,
    sender: ContainerIndex,
    receiver: ContainerIndex,
    packet: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): number {
    const { bytes, view } = memory;
    const ethernetAt = at + recordHeaderBytes;
    if (receiver === everyone) bytes.fill(0xff, ethernetAt, ethernetAt + 6);
    else writeMac(bytes, ethernetAt, hostOf(receiver));
    writeMac(bytes, ethernetAt + 6, hostOf(sender));
    const version = (packet[from] as number) >>> 4;
    view.setUint16(ethernetAt + 12, version === 6 ? ETH_P_IPV6 : ETH_P_IP);
    const ipAt = ethernetAt + ethernetHeaderBytes;
    bytes.set(packet.subarray(from, from + lengthBytes), ipAt);
    const capturedBytes = ethernetHeaderBytes + lengthBytes;
    const tail = this.#writeFrame(view, at, sender, capturedBytes, atNs);
    writeOption(view, tail, RecordKind.packet, Direction.toServer, 0, 0, 0);
    return recordBytes(capturedBytes);
  }

  /**
   * Writes the block around `capturedBytes` bytes of packet data, except our option. Returns the
   * offset of the tail.
   */
  #writeFrame(
    view: DataView,
    at: number,
    container: ContainerIndex,
    capturedBytes: number,
    atNs: number,
  ): number {
    const totalBytes = recordBytes(capturedBytes);
    const dataEnd = at + recordHeaderBytes + capturedBytes;
    const tail = at + totalBytes - recordTailBytes;
    for (let pad = dataEnd; pad < tail; pad++) view.setUint8(pad, 0);
    view.setUint32(at + RecordAt.type, BlockType.enhancedPacket, true);
    view.setUint32(at + RecordAt.totalLength, totalBytes, true);
    view.setUint32(at + RecordAt.interface, container, true);
    this.#writeTime(view, at, atNs);
    view.setUint32(at + RecordAt.capturedLength, capturedBytes, true);
    view.setUint32(at + RecordAt.originalLength, capturedBytes, true);
    view.setUint32(tail + TailAt.endOfOptions, OptionCode.endOfOptions, true);
    view.setUint32(tail + TailAt.totalLength, totalBytes, true);
    return tail;
  }

  /** Writes the start plus `atNs` as two words, because a 64-bit sum would need a BigInt. */
  #writeTime(view: DataView, at: number, atNs: number): void {
    const low = this.#startLow + (atNs % high32);
    const carry = low >= high32 ? 1 : 0;
    const high = this.#startHigh + Math.floor(atNs / high32) + carry;
    view.setUint32(at + RecordAt.timeHigh, high, true);
    view.setUint32(at + RecordAt.timeLow, low - carry * high32, true);
  }

  #writeSynthetic(
    memory: RecordMemory,
    at: number,
    stream: StreamState,
    kind: Exclude<RecordKind, typeof RecordKind.packet>,
    forth: boolean,
    payloadBytes: number,
  ): void {
    const header = this.#header;
    const from = forth ? stream.client : stream.server;
    const to = forth ? stream.server : stream.client;
    header.family = stream.family;
    header.sourceAddress = from.address;
    header.destinationAddress = to.address;
    header.sourceHost = hostOf(from.container);
    header.destinationHost = hostOf(to.container);
    header.sourcePort = from.port;
    header.destinationPort = to.port;
    const initial = initialSequence(stream.number, forth);
    const sender = forth ? stream.clientSender : stream.serverSender;
    const receiver = forth ? stream.serverSender : stream.clientSender;
    const isSyn = kind === RecordKind.connect || kind === RecordKind.accept;
    header.sequence = isSyn ? initial : nextSequence(sender, initial);
    header.acknowledgment = nextSequence(receiver, initialSequence(stream.number, !forth));
    header.flags = flagsOf[kind];
    header.payloadBytes = payloadBytes;
    writeSynthetic(memory.bytes, at + recordHeaderBytes, header);
  }
}

/**
 * The initial sequence number of the client (`forth`) or of the server. Each connection has its
 * own, so other readers can separate connections that share addresses and ports. Products with an
 * odd number do not repeat within 2^32 connections.
 */
function initialSequence(connection: ConnectionNumber, forth: boolean): number {
  return Math.imul(connection, forth ? 0x9e37_79b1 : 0x85eb_ca77) >>> 0;
}

/** The next sequence number; SYN and FIN count one each. 0 before the SYN. */
function nextSequence(sender: SenderState, initial: number): number {
  return sender.opened ? initial + 1 + sender.sentBytes + (sender.ended ? 1 : 0) : 0;
}

function advance(sender: SenderState, kind: RecordKind, payloadBytes: number): void {
  sender.sentBytes += payloadBytes;
  sender.isAfterGap = false;
  if (kind === RecordKind.connect || kind === RecordKind.accept) sender.opened = true;
  if (kind === RecordKind.end) sender.ended = true;
}

function writeOption(
  view: DataView,
  tail: number,
  kind: RecordKind,
  direction: Direction,
  flags: number,
  connection: ConnectionNumber,
  offset: number,
): void {
  view.setUint16(tail + TailAt.optionCode, OptionCode.plgRecord, true);
  view.setUint16(tail + TailAt.optionLength, recordOptionBytes, true);
  view.setUint8(tail + TailAt.version, formatVersion);
  view.setUint8(tail + TailAt.kind, kind);
  view.setUint8(tail + TailAt.direction, direction);
  view.setUint8(tail + TailAt.flags, flags);
  view.setUint32(tail + TailAt.connection, connection, true);
  view.setUint32(tail + TailAt.offsetLow, offset % high32, true);
  view.setUint32(tail + TailAt.offsetHigh, Math.floor(offset / high32), true);
  view.setUint32(tail + TailAt.check, 0, true);
}

function emptyHeader(): SyntheticHeader {
  const nowhere = new Uint8Array(16);
  return {
    family: 4,
    sourceAddress: nowhere,
    destinationAddress: nowhere,
    sourceHost: hostOf(0),
    destinationHost: hostOf(0),
    sourcePort: 0 as Port,
    destinationPort: 0 as Port,
    sequence: 0,
    acknowledgment: 0,
    flags: 0,
    payloadBytes: 0,
  };
}
