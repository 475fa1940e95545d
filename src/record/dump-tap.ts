/** Connects pipes to the dump: turns the events of a connection into records. */
import type { ContainerIndex } from "../base/ids.ts";
import { Direction } from "../base/direction.ts";
import { type Port, hostOf } from "../base/units.ts";
import type { DumpSink } from "../dump/store/sink.ts";
import type { StreamState } from "../dump/format/encoder.ts";
import { RecordKind } from "../dump/format/schema.ts";
import type { Connection } from "../pipe/core/connection.ts";
import type { ConnectionTap } from "../pipe/joiner.ts";
import { Counter } from "../engine/task.ts";
import type { EngineThread } from "../engine/thread.ts";
import { subnetFor } from "../net/subnet.ts";
import type { Pieces } from "../sys/pieces.ts";
import type { Task } from "../sys/reactor.ts";

/** The state that the taps of one recording share. */
export class DumpTaps {
  readonly engine: EngineThread;
  readonly sink: DumpSink;
  /** The taps that wait for room in the dump. */
  #starved: Task[] = [];

  readonly #onRefused: (connection: Connection) => void;

  constructor(engine: EngineThread, sink: DumpSink, onRefused: (connection: Connection) => void) {
    this.engine = engine;
    this.sink = sink;
    this.#onRefused = onRefused;
  }

  /** Records a connection attempt and returns the tap of the connection. */
  open(connection: Connection): DumpTap {
    const subnet = subnetFor(this.engine.subnets, connection.family);
    const endpoint = (container: ContainerIndex, port: Port) => ({
      container,
      address: subnet.addressBytes(hostOf(container)),
      port,
    });
    const client = endpoint(connection.client, connection.clientPort);
    const server = endpoint(connection.server, connection.serverPort);
    const stream = this.sink.connect(connection.family, client, server, this.engine.atNs);
    this.engine.count(Counter.connections, 1);
    this.engine.count(Counter.open, 1);
    return new DumpTap(this, stream, connection);
  }

  refused(connection: Connection): void {
    this.engine.count(Counter.open, -1);
    this.#onRefused(connection);
  }

  whenRoom(task: Task): void {
    this.#starved.push(task);
  }

  /** Call it when the writer has made room. */
  feedStarved(): void {
    const tasks = this.#starved;
    this.#starved = [];
    for (const task of tasks) this.engine.reactor.defer(task);
  }
}

class DumpTap implements ConnectionTap {
  readonly #taps: DumpTaps;
  readonly #stream: StreamState;
  readonly #connection: Connection;

  constructor(taps: DumpTaps, stream: StreamState, connection: Connection) {
    this.#taps = taps;
    this.#stream = stream;
    this.#connection = connection;
  }

  reserve(most: number): Pieces | undefined {
    return this.#taps.sink.reserve(this.#stream.family, most);
  }

  onData(direction: Direction, lengthBytes: number): void {
    const { sink, engine } = this.#taps;
    sink.commit(this.#stream, direction, lengthBytes, engine.atNs);
    this.#taps.engine.count(Counter.bytes, lengthBytes);
  }

  onAccepted(): void {
    this.#note(RecordKind.accept, Direction.toClient);
  }

  onRefused(): void {
    this.#note(RecordKind.refuse, Direction.toClient);
    this.#taps.refused(this.#connection);
  }

  onFailed(): void {
    this.#taps.engine.count(Counter.open, -1);
  }

  onEnd(direction: Direction): void {
    this.#note(RecordKind.end, direction);
  }

  onReset(direction: Direction): void {
    this.#note(RecordKind.reset, direction);
  }

  onOver(): void {
    this.#taps.engine.count(Counter.open, -1);
  }

  whenRoom(task: Task): void {
    this.#taps.whenRoom(task);
  }

  #note(
    kind: (typeof RecordKind)["accept" | "refuse" | "end" | "reset"],
    direction: Direction,
  ): void {
    this.#taps.sink.event(this.#stream, kind, direction, this.#taps.engine.atNs);
  }
}
