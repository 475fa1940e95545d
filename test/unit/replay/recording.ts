/**
 * Recordings written down as a few lines, indexed as a real dump would be:
 *
 *     0 1 connect client server:80     at 0 ms, connection 1
 *     1 1 accept                       (or refuse)
 *     2 1 client "hello"               bytes; (600 "x") is 600 times x
 *     3 1 server end                   (or reset)
 *     4 packet client server           not TCP; `client:4711 server:53` has these ports
 *     5 stop server                    its command was stopped; all of these at the end
 *     6 exit client                    it exited by itself; these, too
 */
import { Direction } from "../../../src/base/direction.ts";
import type { Family, Port } from "../../../src/base/units.ts";
import type { DumpItem, StreamItem } from "../../../src/dump/format/decoder.ts";
import { type Endpoint, RecordKind, type RunInfo } from "../../../src/dump/format/schema.ts";
import { IPPROTO_UDP } from "../../../src/net/packet.ts";
import type { Flow } from "../../../src/recording/flows.ts";
import { RecordingBuilder } from "../../../src/recording/recording-builder.ts";
import { RecordingIndex } from "../../../src/recording/recording.ts";
import type { LiveAttempt } from "../../../src/replay/match/matching.ts";

export const names = ["server", "client", "other"];

const run: RunInfo = {
  toolVersion: "0",
  subnets: ["10.0.0.0/24"],
  host: "h",
  kernel: "k",
  hardware: "x",
  startNs: 0n,
  notes: {},
  containers: names.map((name, i) => ({ name, command: name, addresses: [`10.0.0.${i + 1}`] })),
};

export function containerOf(name: string): number {
  if (name === "everyone") return -1;
  const container = names.indexOf(name);
  if (container < 0) throw new Error(`who is ${name}?`);
  return container;
}

/** `name:port`; without a port it is 0. */
export function placeOf(text: string): { container: number; port: number } {
  const [name = "", port = "0"] = text.split(":");
  return { container: containerOf(name), port: Number(port) };
}

/** The flow of {@link TestRecording.packet}. */
export function testFlow(
  sender: number,
  receiver: number,
  [sourcePort, destinationPort]: readonly [number, number],
): Flow {
  return { sender, receiver, family: 4, protocol: IPPROTO_UDP, sourcePort, destinationPort };
}

/** An empty datagram over IPv4, as far as the index reads it. */
function udpPacket([source, destination]: readonly [number, number]): Uint8Array {
  const packet = new Uint8Array(28);
  const view = new DataView(packet.buffer);
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint8(9, IPPROTO_UDP);
  view.setUint16(20, source);
  view.setUint16(22, destination);
  view.setUint16(24, 8);
  return packet;
}

/** What the live `client` asks for when it connects to server:80. */
export function liveAttempt(clientPort = 50_000): LiveAttempt {
  return {
    family: 4,
    client: 1,
    clientPort: clientPort as Port,
    server: 0,
    serverPort: 80 as Port,
  };
}

function endpoint(container: number, port: number): Endpoint {
  return { container, address: new Uint8Array(4), port: port as Port };
}

/** Builds an index event by event; the bytes lie in memory, where `read` finds them. */
export class TestRecording {
  readonly file: number[] = [];
  reads = 0;
  readonly #builder = new RecordingBuilder();
  readonly #connections: StreamItem["connection"][] = [];
  readonly #sent: [number, number][] = [];
  #missingBytes = 0;

  constructor() {
    this.#builder.add({ type: "run", run });
  }

  /** `clientPort`: the one that the program chose, if it did. */
  connect(
    atMs: number,
    client: number,
    server: number,
    port: number,
    family: Family = 4,
    clientPort?: number,
  ): number {
    const number = this.#connections.length + 1;
    const from = endpoint(client, clientPort ?? 40_000 + (number % 20_000));
    this.#connections.push({ number, family, client: from, server: endpoint(server, port) });
    this.#sent.push([0, 0]);
    this.event(atMs, number, RecordKind.connect, Direction.toServer);
    return number;
  }

  /** So many bytes of a direction are missing before its next event. */
  skip(number: number, direction: Direction, lengthBytes: number): void {
    const sent = this.#sent[number - 1] as [number, number];
    sent[direction] += lengthBytes;
    this.#missingBytes = lengthBytes;
  }

  event(
    atMs: number,
    number: number,
    kind: StreamItem["kind"],
    direction: Direction,
    payload: Uint8Array = new Uint8Array(0),
  ): void {
    const sent = this.#sent[number - 1] as [number, number];
    const connection = this.#connections[number - 1] as StreamItem["connection"];
    this.#add({
      type: "stream",
      kind,
      connection,
      direction,
      atNs: atMs * 1e6,
      streamOffset: sent[direction],
      missingBytes: this.#missingBytes,
      payload,
      payloadPosition: this.#store(payload),
      position: 0,
    });
    sent[direction] += payload.length;
    this.#missingBytes = 0;
  }

  packet(
    atMs: number,
    sender: number,
    receiver: number,
    ports: readonly [number, number] = [0, 0],
  ): void {
    const packet = udpPacket(ports);
    const packetPosition = this.#store(packet);
    const atNs = atMs * 1e6;
    this.#add({ type: "packet", sender, receiver, atNs, packet, packetPosition, position: 0 });
  }

  stop(atMs: number, container: number): void {
    const exit = { exitCode: 0, stoppedAtNs: atMs * 1e6 };
    this.#add({ type: "exit", container, exit, endNs: 0n, records: 0 });
  }

  exit(atMs: number, container: number): void {
    const exit = { exitCode: 0, lastedNs: atMs * 1e6 };
    this.#add({ type: "exit", container, exit, endNs: BigInt(atMs) * 1_000_000n, records: 0 });
  }

  finish(): RecordingIndex {
    return new RecordingIndex(this.#builder.finish());
  }

  readonly read = (position: number, lengthBytes: number): Uint8Array => {
    this.reads++;
    return Uint8Array.from(this.file.slice(position, position + lengthBytes));
  };

  #add(item: DumpItem): void {
    this.#builder.add(item);
  }

  /** As in a real file, there is something between payloads. */
  #store(payload: Uint8Array): number {
    this.file.push(0xee, 0xee, 0xee);
    const position = this.file.length;
    for (const byte of payload) this.file.push(byte);
    return position;
  }
}

/** Reads the lines; see above. */
export function record(text: string): { index: RecordingIndex; read: TestRecording["read"] } {
  const recording = new TestRecording();
  const ends = new Map<number, { client: string; server: string }>();
  for (const line of linesOf(text)) {
    const [at = "", which = "", ...words] = line.split(/\s+/);
    const atMs = Number(at);
    if (which === "packet") {
      const [from, to] = [placeOf(words[0] ?? ""), placeOf(words[1] ?? "")];
      recording.packet(atMs, from.container, to.container, [from.port, to.port]);
      continue;
    }
    if (which === "stop" || which === "exit") {
      recording[which](atMs, containerOf(words[0] ?? ""));
      continue;
    }
    const number = Number(which);
    const [first = "", second = "", third = ""] = words;
    if (first === "connect") {
      const [server = "", port] = third.split(":");
      const made = recording.connect(atMs, containerOf(second), containerOf(server), Number(port));
      if (made !== number) throw new Error(`${line}: it is number ${made}`);
      ends.set(number, { client: second, server });
    } else if (first === "accept" || first === "refuse")
      recording.event(atMs, number, RecordKind[first], Direction.toClient);
    else {
      const direction =
        ends.get(number)?.client === first ? Direction.toServer : Direction.toClient;
      if (second === "end" || second === "reset")
        recording.event(atMs, number, RecordKind[second], direction);
      else {
        const payload = bytesOf(line.slice(line.indexOf(first) + first.length));
        recording.event(atMs, number, RecordKind.data, direction, payload);
      }
    }
  }
  return { index: recording.finish(), read: recording.read };
}

export function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.replace(/(^|\s)\/\/.*$/, "").trim())
    .filter((line) => line !== "");
}

/** `"text"` with the escapes of JSON, or `600 "x"`. */
export function bytesOf(text: string): Uint8Array {
  const [, times, quoted] = /^\s*(?:\(?(\d+)\s+)?(".*")\)?\s*$/.exec(text) ?? [];
  if (quoted === undefined) throw new Error(`no bytes: ${text}`);
  return Buffer.from((JSON.parse(quoted) as string).repeat(Number(times ?? 1)), "latin1");
}
