/** Compares what `readDump` says of a dump with what it must hold. */
import { Direction } from "../../src/base/direction.ts";
import type { PacketItem, StreamItem } from "../../src/dump/format/decoder.ts";
import { RecordKind } from "../../src/dump/format/schema.ts";
import { readDump } from "../../src/dump/store/reader.ts";
import { SentBytes } from "./bytes.ts";
import { type ExpectedConnection, expectedDump, type ExpectedStream } from "./expected.ts";
import { type Identify, type Listener, listenerOf, type Scenario, type Side } from "./scenario.ts";

const sides: readonly Side[] = ["client", "server"];
/** So much is kept of what a client sends: a login and a hello. */
const keptBytes = 16;

/** One direction of a recorded connection. */
interface DumpedStream {
  bytes: number;
  end: ExpectedStream["end"];
}

/** A recorded connection. */
export class Dumped {
  readonly number: number;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly client: number;
  readonly server: number;
  readonly streams: Record<Side, DumpedStream> = {
    client: { bytes: 0, end: "none" },
    server: { bytes: 0, end: "none" },
  };
  isRefused = false;
  isAccepted = false;
  #opening = Buffer.alloc(0);

  constructor({ connection: { number, client, server } }: StreamItem) {
    this.number = number;
    this.client = client.container;
    this.server = server.container;
    this.clientPort = client.port;
    this.serverPort = server.port;
  }

  /** What the client sent first. */
  get opening(): string {
    return this.#opening.toString("latin1");
  }

  take({ kind, direction, payload }: StreamItem): void {
    const side = direction === Direction.toServer ? "client" : "server";
    const stream = this.streams[side];
    if (kind === RecordKind.refuse) this.isRefused = true;
    if (kind === RecordKind.accept) this.isAccepted = true;
    if (kind === RecordKind.end) stream.end = "end";
    if (kind === RecordKind.reset) stream.end = "reset";
    if (kind !== RecordKind.data) return;
    stream.bytes += payload.length;
    if (side === "client" && this.#opening.length < keptBytes)
      this.#opening = Buffer.concat([this.#opening, payload]).subarray(0, keptBytes);
  }

  get text(): string {
    const { number, client, clientPort, server, serverPort } = this;
    return `recorded connection ${number} (${client}:${clientPort} to ${server}:${serverPort})`;
  }
}

/** What a dump holds, summed up. */
export interface DumpFacts {
  readonly connections: readonly Dumped[];
  readonly problems: readonly string[];
}

export function checkDump(scenario: Scenario, path: string): DumpFacts {
  const connections = new Map<number, Dumped>();
  const datagrams = new Map<string, number>();
  const problems: string[] = [];
  const items = readDump(path);
  for (const item of items) {
    if (item.type === "packet") countDatagram(scenario, item, datagrams);
    if (item.type !== "stream") continue;
    const { number } = item.connection;
    const dumped = connections.get(number) ?? new Dumped(item);
    connections.set(number, dumped);
    dumped.take(item);
  }
  const all = [...connections.values()];
  const expected = expectedDump(scenario);
  problems.push(...compareConnections(scenario, expected.connections, all, path));
  const refused = all.filter(({ isRefused }) => isRefused).length;
  if (refused !== expected.refusedCount)
    problems.push(`${refused} refused connections instead of ${expected.refusedCount}`);
  for (const [key, count] of expected.datagrams) {
    const seen = datagrams.get(key) ?? 0;
    if (seen !== count) problems.push(`${seen} instead of ${count} datagrams of flow ${key}`);
  }
  return { connections: all, problems };
}

function compareConnections(
  scenario: Scenario,
  expected: readonly ExpectedConnection[],
  all: readonly Dumped[],
  path: string,
): string[] {
  const left = all.filter(({ isRefused }) => !isRefused);
  const problems: string[] = [];
  const senders = new Map<number, Record<Side, SentBytes>>();
  for (const one of expected) {
    const listener = listenerOf(scenario, one.connection);
    const index = left.findIndex((dumped) => isThe(one, listener, dumped));
    const [dumped] = index === -1 ? [] : left.splice(index, 1);
    if (!dumped) {
      problems.push(`connection ${one.connection.id} is not in the dump`);
      continue;
    }
    problems.push(...compareOne(one, dumped));
    const sent = (side: Side): SentBytes => new SentBytes(listener, one.connection, side);
    senders.set(dumped.number, { client: sent("client"), server: sent("server") });
  }
  const surplus = left.map((dumped) => `${dumped.text} is in the dump, and nobody opened it`);
  return [...problems, ...surplus, ...compareBytes(senders, path)];
}

/** The dump's next connection that is of this listener, and whose port or hello is this one's. */
function isThe({ connection }: ExpectedConnection, listener: Listener, dumped: Dumped): boolean {
  if (dumped.serverPort !== listener.port || dumped.server !== listener.container) return false;
  if (dumped.client !== connection.client.container) return false;
  if (connection.localPort !== undefined && dumped.clientPort !== connection.localPort)
    return false;
  const isKnown: Readonly<Record<Identify, () => boolean>> = {
    order: () => true,
    port: () => true,
    hello: () => dumped.opening.slice(0, 4) === idText(connection.id),
    login: () => dumped.opening.slice(5, 9) === idText(connection.id),
  };
  return isKnown[listener.identify]();
}

function idText(id: number): string {
  return String(id).padStart(4, "0");
}

function compareOne({ connection, streams }: ExpectedConnection, dumped: Dumped): string[] {
  const problems: string[] = dumped.isAccepted ? [] : [`${dumped.text} was not accepted`];
  for (const side of sides) {
    const [wanted, seen] = [streams[side], dumped.streams[side]];
    const where = `connection ${connection.id}, ${dumped.text}: the ${side}`;
    if (seen.bytes < wanted.leastBytes || seen.bytes > wanted.mostBytes)
      problems.push(
        `${where} sent ${seen.bytes} bytes, not ${wanted.leastBytes} to ${wanted.mostBytes}`,
      );
    if (wanted.end !== "over" && seen.end !== wanted.end)
      problems.push(`${where} ended with ${seen.end}, not ${wanted.end}`);
  }
  return problems;
}

function compareBytes(
  senders: ReadonlyMap<number, Record<Side, SentBytes>>,
  path: string,
): string[] {
  const wrong = new Set<string>();
  for (const item of readDump(path)) {
    if (item.type !== "stream" || item.kind !== RecordKind.data) continue;
    const side = item.direction === Direction.toServer ? "client" : "server";
    const sender = senders.get(item.connection.number)?.[side];
    if (sender?.holds(item.streamOffset, item.payload) === false)
      wrong.add(`recorded connection ${item.connection.number}: other bytes than the ${side}'s`);
  }
  return [...wrong];
}

const udp = 17;
const ipv6FragmentHeader = 44;

/** Counts a datagram where its first fragment is. */
function countDatagram(
  scenario: Scenario,
  { packet }: PacketItem,
  counts: Map<string, number>,
): void {
  const header = udpHeaderOf(Buffer.from(packet));
  if (!header) return;
  const [from, to] = [header.readUInt16BE(0), header.readUInt16BE(2)];
  for (const { id, client, server } of scenario.flows)
    for (const side of sides) {
      const [sender, receiver] = side === "client" ? [client, server] : [server, client];
      const key = `${id} ${side}`;
      if (sender.port === from && receiver.port === to) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
}

/** The packet from its UDP header on, or undefined: no UDP, or a later fragment. */
function udpHeaderOf(packet: Buffer): Buffer | undefined {
  const isIpv4 = packet.readUInt8(0) >> 4 === 4;
  if (isIpv4) {
    const isFirst = (packet.readUInt16BE(6) & 0x1fff) === 0;
    const isUdp = packet.readUInt8(9) === udp;
    return isUdp && isFirst ? packet.subarray(4 * (packet.readUInt8(0) & 15)) : undefined;
  }
  const next = packet.readUInt8(6);
  if (next === udp) return packet.subarray(40);
  const isFirst = next === ipv6FragmentHeader && (packet.readUInt16BE(42) & 0xfff8) === 0;
  return isFirst && packet.readUInt8(40) === udp ? packet.subarray(48) : undefined;
}
