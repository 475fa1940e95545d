/** Runs captures through the importer and notes what it says. */
import { CaptureReader } from "../../../src/capture/read/reader.ts";
import type { CaptureNote } from "../../../src/capture/read/packet.ts";
import type { Findings } from "../../../src/capture/track/findings.ts";
import { Importer } from "../../../src/capture/track/importer.ts";
import type { CaptureSink, TrackedConnection } from "../../../src/capture/track/sink.ts";

/** A stretch of a stream: bytes, or a number of missing ones. */
export type Stretch = Uint8Array | number;

interface HeardConnection {
  readonly client: string;
  readonly server: string;
  readonly clientPort: number;
  readonly serverPort: number;
  /** What client and server sent, in order. */
  readonly sent: readonly [Stretch[], Stretch[]];
  readonly events: string[];
}

export interface Heard {
  readonly connections: readonly HeardConnection[];
  readonly packets: readonly Uint8Array[];
  /** All events in their order: `1 data > 5`. */
  readonly log: readonly string[];
  readonly findings: Findings;
  readonly notes: readonly CaptureNote[];
  readonly problem: { readonly position: number; readonly what: string } | undefined;
}

class Ear implements CaptureSink {
  readonly connections: HeardConnection[] = [];
  readonly packets: Uint8Array[] = [];
  readonly log: string[] = [];
  hosts: readonly Uint8Array[] = [];

  connect(connection: TrackedConnection): void {
    const { client, server } = connection;
    this.connections.push({
      client: this.hosts[client.host]?.join(".") ?? "",
      server: this.hosts[server.host]?.join(".") ?? "",
      clientPort: client.port,
      serverPort: server.port,
      sent: [[], []],
      events: [],
    });
    this.#note(connection, "connect");
  }

  accept(connection: TrackedConnection): void {
    this.#note(connection, "accept");
  }

  refuse(connection: TrackedConnection): void {
    this.#note(connection, "refuse");
  }

  data(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
  ): void {
    this.#miss(connection, isFromClient, missingBytes);
    this.#sentBy(connection, isFromClient).push(bytes.slice(from, from + lengthBytes));
    this.#note(connection, `data ${isFromClient ? ">" : "<"} ${lengthBytes}`);
  }

  end(connection: TrackedConnection, isFromClient: boolean, missingBytes: number): void {
    this.#miss(connection, isFromClient, missingBytes);
    this.#note(connection, `end ${isFromClient ? ">" : "<"}`);
  }

  reset(connection: TrackedConnection, isFromClient: boolean, missingBytes: number): void {
    this.#miss(connection, isFromClient, missingBytes);
    this.#note(connection, `reset ${isFromClient ? ">" : "<"}`);
  }

  packet(
    _sender: number,
    _receiver: number | undefined,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
  ): void {
    this.packets.push(bytes.slice(from, from + lengthBytes));
  }

  #miss(connection: TrackedConnection, isFromClient: boolean, missingBytes: number): void {
    if (missingBytes > 0) this.#sentBy(connection, isFromClient).push(missingBytes);
  }

  #sentBy({ number }: TrackedConnection, isFromClient: boolean): Stretch[] {
    const sent = this.connections[number - 1]?.sent ?? [[], []];
    return sent[isFromClient ? 0 : 1];
  }

  #note({ number }: TrackedConnection, what: string): void {
    this.connections[number - 1]?.events.push(what);
    this.log.push(`${number} ${what}`);
  }
}

/** Imports the bytes of one capture file, pushed in pieces of `pieceBytes`. */
export function hear(file: Uint8Array, pieceBytes: number = file.length): Heard {
  const ear = new Ear();
  const notes: CaptureNote[] = [];
  const reader = new CaptureReader((note) => notes.push(note));
  let importer: Importer | undefined;
  for (let at = 0; at < file.length; at += Math.max(1, pieceBytes)) {
    reader.push(file.subarray(at, at + pieceBytes));
    for (let packet = reader.next(); packet !== undefined; packet = reader.next()) {
      importer ??= new Importer(ear);
      ear.hosts = importer.hosts.addresses;
      importer.add(packet, packet.seconds * 1e9 + packet.nanoseconds);
    }
  }
  const { problem } = reader.end();
  importer ??= new Importer(ear);
  importer.end();
  const { connections, packets, log } = ear;
  return { connections, packets, log, findings: importer.findings, notes, problem };
}

/** A stream as text, its holes as `[n]`. */
export function textOf(stretches: readonly Stretch[]): string {
  return stretches
    .map((one) => (typeof one === "number" ? `[${one}]` : Buffer.from(one).toString("latin1")))
    .join("");
}
