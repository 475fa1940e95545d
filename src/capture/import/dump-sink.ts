/** The second pass: writes the events of a capture to a dump. */
import { Direction } from "../../base/direction.ts";
import type { Port } from "../../base/units.ts";
import type { StreamState } from "../../dump/format/encoder.ts";
import { type Endpoint, RecordKind } from "../../dump/format/schema.ts";
import type { DirectWriter } from "../../dump/store/direct-writer.ts";
import type { StreamEvent } from "../../dump/store/sink.ts";
import type { CaptureSink, TrackedConnection, TrackedEnd } from "../track/sink.ts";

/** The hosts, for the sink. */
export interface SinkHosts {
  /** By host number. */
  readonly addresses: readonly Uint8Array[];
  readonly containerOf: Int32Array;
}

export class DumpEventSink implements CaptureSink {
  readonly #writer: DirectWriter;
  readonly #hosts: SinkHosts;
  readonly #startNs: number;
  /** Connections in progress, by number. */
  readonly #open = new Map<number, StreamState>();

  /** `startNs` is the start of the recording, on the events' clock. */
  constructor(writer: DirectWriter, hosts: SinkHosts, startNs: number) {
    this.#writer = writer;
    this.#hosts = hosts;
    this.#startNs = startNs;
  }

  connect(connection: TrackedConnection, atNs: number): void {
    const { number, family, client, server } = connection;
    const ends = [this.#endpoint(client), this.#endpoint(server)] as const;
    this.#open.set(number, this.#writer.connect(family, ...ends, this.#since(atNs)));
  }

  accept(connection: TrackedConnection, atNs: number): void {
    this.#event(connection, RecordKind.accept, Direction.toClient, 0, atNs);
  }

  refuse(connection: TrackedConnection, atNs: number): void {
    this.#event(connection, RecordKind.refuse, Direction.toClient, 0, atNs);
  }

  end(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    atNs: number,
  ): void {
    this.#event(connection, RecordKind.end, directionOf(isFromClient), missingBytes, atNs);
  }

  reset(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    atNs: number,
  ): void {
    this.#event(connection, RecordKind.reset, directionOf(isFromClient), missingBytes, atNs);
  }

  data(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void {
    const direction = directionOf(isFromClient);
    const stream = this.#streamOf(connection, direction, missingBytes);
    this.#writer.data(stream, direction, bytes, from, lengthBytes, this.#since(atNs));
  }

  packet(
    sender: number,
    receiver: number | undefined,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void {
    this.#writer.packet(
      this.#hosts.containerOf[sender] as number,
      receiver === undefined ? -1 : (this.#hosts.containerOf[receiver] as number),
      bytes,
      from,
      lengthBytes,
      this.#since(atNs),
    );
  }

  #event(
    connection: TrackedConnection,
    kind: StreamEvent,
    direction: Direction,
    missingBytes: number,
    atNs: number,
  ): void {
    const stream = this.#streamOf(connection, direction, missingBytes);
    this.#writer.event(stream, kind, direction, this.#since(atNs));
    if (stream.phase === "over") this.#open.delete(connection.number);
  }

  /** A dump can hold 104 days. */
  #since(atNs: number): number {
    return Math.min(atNs - this.#startNs, Number.MAX_SAFE_INTEGER);
  }

  #streamOf({ number }: TrackedConnection, direction: Direction, missing: number): StreamState {
    const stream = this.#open.get(number) as StreamState;
    if (missing > 0) this.#writer.skip(stream, direction, missing);
    return stream;
  }

  #endpoint({ host, port }: TrackedEnd): Endpoint {
    return {
      container: this.#hosts.containerOf[host] as number,
      address: this.#hosts.addresses[host] as Uint8Array,
      port: port as Port,
    };
  }
}

function directionOf(isFromClient: boolean): Direction {
  return isFromClient ? Direction.toServer : Direction.toClient;
}
