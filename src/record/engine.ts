/** The engine thread of a recording: the switch, the joiner's pipes, and the dump as their tap. */
import { workerData } from "node:worker_threads";
import type { ContainerIndex } from "../base/ids.ts";
import { DumpSink, type SinkStore } from "../dump/store/sink.ts";
import { Entrance } from "../pipe/entrance.ts";
import { Joiner } from "../pipe/joiner.ts";
import { Counter, type EngineTask } from "../engine/task.ts";
import { EngineThread, type OrderHandler } from "../engine/thread.ts";
import { quietMsOf } from "../switch/core/link-plan.ts";
import { type PacketObserver, Switch } from "../switch/switch.ts";
import { isListening } from "../sys/listening.ts";
import { ClientSockets } from "./client-sockets.ts";
import { DumpTaps } from "./dump-tap.ts";
import { RefusalAdvice } from "./refusal-advice.ts";

/** A recording's additions to the common engine task. */
export interface RecordDetails {
  readonly sink: SinkStore;
  readonly waitListenMs: number;
  /** Containers that must pass a check before connections reach them. */
  readonly unready: readonly number[];
  /** The containers' names. */
  readonly names: readonly string[];
}

/**
 * The interval at which recorded bytes go to the writer. A SIGKILL loses at most about twice this.
 */
const flushMs = 100;
/**
 * When the processes are gone, their kernels still send the remaining bytes. The recording ends
 * when all connections have ended, or when nothing has moved for `quietMs` plus the links' delay.
 */
const drain = { lookMs: 5, quietMs: 300 } as const;

class RecordEngine implements OrderHandler, PacketObserver {
  readonly #engine: EngineThread;
  readonly #sink: DumpSink;
  readonly #taps: DumpTaps;
  readonly #switch: Switch;
  readonly #joiner: Joiner;
  readonly #clients: ClientSockets;
  readonly #quietMs: number;
  #finishing = false;

  constructor(task: EngineTask & RecordDetails) {
    this.#engine = new EngineThread(task);
    const { reactor, subnets, links } = this.#engine;
    const { tuns, pipeTun } = task;
    this.#switch = new Switch({ reactor, subnets, tuns, pipeTun, links });
    this.#sink = new DumpSink(task.sink, task.wakeup);
    const advice = new RefusalAdvice(task.names, task.namespaces, (text) =>
      this.#engine.warn(text),
    );
    this.#taps = new DumpTaps(this.#engine, this.#sink, (connection) =>
      advice.note(connection, reactor.nowMs),
    );
    const linkMs = quietMsOf(task.links);
    this.#clients = new ClientSockets(subnets, task.namespaces);
    this.#joiner = new Joiner({
      reactor,
      subnets,
      exits: this.#switch,
      tapFor: (connection) => this.#taps.open(connection),
      waitListenMs: task.waitListenMs,
      unready: task.unready,
      linkMs,
      isServedInOtherFamily: ({ server, family, serverPort }) => {
        const network = task.namespaces[server];
        return network !== undefined && isListening(network, family === 4 ? 6 : 4, serverPort);
      },
      isBacklogFull: (connection) => this.#clients.isBacklogFull(connection),
      isConnecting: (connection) => this.#clients.isConnecting(connection),
      watchThreads: (container) => this.#engine.watchThreads(container),
      onWarning: (text) => this.#engine.warn(text),
    });
    this.#quietMs = drain.quietMs + linkMs;
  }

  run(): void {
    this.#flushLater();
    const interceptor = new Entrance(this.#joiner.attempts, this.#joiner);
    this.#switch.start({ interceptor, observer: this });
    this.#engine.run(this);
  }

  onWakeup(): void {
    this.#taps.feedStarved();
  }

  onGone(container: ContainerIndex): void {
    this.#joiner.noteGone(container);
  }

  onReady(container: ContainerIndex): void {
    this.#joiner.noteReady(container);
  }

  onPacket(
    from: ContainerIndex,
    to: ContainerIndex,
    bytes: Uint8Array,
    at: number,
    lengthBytes: number,
  ): boolean {
    const { atNs } = this.#engine;
    const isRecorded = this.#sink.packet(from, to, bytes, at, lengthBytes, atNs);
    this.#engine.count(isRecorded ? Counter.packets : Counter.unrecorded, 1);
    return isRecorded;
  }

  #flushLater(): void {
    this.#engine.reactor.after(flushMs, () => {
      this.#sink.flush();
      this.#flushLater();
    });
  }

  onFinish(): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#drain(this.#engine.reactor.nowMs, this.#moved());
  }

  #drain(quietSinceMs: number, moved: number): void {
    const { reactor, counters } = this.#engine;
    const now = this.#moved();
    const sinceMs = now === moved ? quietSinceMs : reactor.nowMs;
    const isQuiet = reactor.nowMs - sinceMs >= this.#quietMs;
    const isOpen = (counters[Counter.open] ?? 0) > 0 || this.#switch.heldPackets > 0;
    if ((isOpen && !isQuiet) || !this.#sink.seal())
      reactor.after(drain.lookMs, () => this.#drain(sinceMs, now));
    else {
      this.#engine.noteDrops(this.#switch);
      this.#switch.close();
      this.#clients.close();
      this.#engine.done();
    }
  }

  /** A number that changes whenever bytes or connections arrive. */
  #moved(): number {
    const { counters } = this.#engine;
    return (counters[Counter.bytes] ?? 0) + (counters[Counter.connections] ?? 0);
  }
}

new RecordEngine(workerData as EngineTask & RecordDetails).run();
