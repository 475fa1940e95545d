/**
 * Plays recorded clients: it dials to live servers, from the recorded client's address and port.
 */
import type { ConnectionNumber, EventNumber } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import type { Port } from "../../base/units.ts";
import { type Subnet, subnetFor } from "../../net/subnet.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import { DialQueues } from "../../pipe/dial-queue.ts";
import { Dial, type DialHandler, type DialOptions } from "../../pipe/dial.ts";
import { PipeSocket, nobody } from "../../pipe/pipe-socket.ts";
import type { Outcome, RecordedConnection } from "../../recording/connection-table.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { ECONNREFUSED } from "../../sys/errno.ts";
import type { Reactor } from "../../sys/reactor.ts";
import type { ChosenPorts } from "../match/chosen-ports.ts";
import type { ContainerSockets } from "./container-sockets.ts";
import type { LiveEnds } from "./live-ends.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";

export interface DialerParts {
  readonly reactor: Reactor;
  readonly subnets: readonly Subnet[];
  readonly index: RecordingIndex;
  readonly ends: LiveEnds;
  readonly chosenPorts: ChosenPorts;
  readonly sockets: ContainerSockets;
  readonly patienceMs: number;
  /** How much longer an answer takes over the links of this run. */
  readonly linkMs: number;
}

/**
 * How long a server has to answer a SYN that it accepted in the recording. Its kernel may drop a
 * SYN: if the process holds a socket that was just reset, for a connection with the same ports, the
 * kernel queues the SYN for that socket and then drops it (tcp_v4_rcv, sk_add_backlog).
 */
const answerMs = 100;

/** The recording says which family was refused, so there is no need to test. */
const isServedInOtherFamily = (): boolean => false;

/** A recorded connection that is dialed. */
interface Dialed {
  readonly number: ConnectionNumber;
  readonly runner: ScheduleRunner;
  /** The connection as the kernels know it, with the ports of this run. */
  readonly wire: Connection;
}

export class Dialer {
  readonly #parts: DialerParts;
  readonly #startedMs: number;
  readonly #queues: DialQueues;
  readonly #dials = new Set<Dial>();

  constructor(parts: DialerParts) {
    this.#parts = parts;
    this.#startedMs = parts.reactor.nowMs;
    this.#queues = new DialQueues(parts.reactor);
  }

  /** Whether a dial waits for an answer. */
  get isDialing(): boolean {
    return this.#dials.size > 0;
  }

  /** The recorded client connects to the live server: `event` is its connect. */
  dial(runner: ScheduleRunner, event: EventNumber): void {
    const { reactor, index } = this.#parts;
    const number = index.connection(event);
    const { outcome, ...recorded } = index.connections.describe(number);
    const wire = { ...recorded, serverPort: this.#livePort(recorded) };
    const dialed = { number, runner, wire };
    runner.schedule.noteDelivered(event);
    const dial = new Dial(reactor, this.#options(wire, outcome, event), this.#handler(dialed));
    this.#dials.add(dial);
    const fd = dial.start();
    if (fd !== undefined) this.#onConnected(dialed, dial, new PipeSocket(reactor, fd, nobody));
  }

  /** Gives up all dials. */
  cancel(): void {
    for (const dial of this.#dials) dial.cancel();
  }

  #options(connection: Connection, outcome: Outcome, connect: number): DialOptions {
    const { subnets, linkMs, sockets } = this.#parts;
    const isAccepted = outcome === "accepted";
    return {
      subnet: subnetFor(subnets, connection.family),
      connection,
      queue: this.#queues.of(connection),
      // No retry for a SYN without a recorded answer: it might be answered now.
      isWanted: () => outcome !== "unanswered",
      waitListenMs: isAccepted ? this.#untilListeningMs(connect) : 0,
      ...(isAccepted ? { answerMs } : {}),
      linkMs,
      isServedInOtherFamily,
      isBacklogFull: ({ server, family, serverPort }) =>
        sockets.isBacklogFull(server, family, serverPort),
    };
  }

  #handler(dialed: Dialed): DialHandler {
    const { number, runner } = dialed;
    return {
      onConnected: (dial, end) => this.#onConnected(dialed, dial, end),
      onSilent: (dial) => dial.again(),
      onFailed: (dial, error) => {
        this.#dials.delete(dial);
        if (error === ECONNREFUSED) runner.schedule.noteRefused(number);
        runner.moved();
      },
      onUnwanted: (dial) => this.#dials.delete(dial),
    };
  }

  #onConnected({ number, runner, wire }: Dialed, dial: Dial, end: PipeSocket): void {
    this.#dials.delete(dial);
    const live = this.#parts.ends.add(end, runner, wire, Direction.toClient, number);
    runner.schedule.noteAccepted(number);
    live.read();
  }

  /** The live port, where the process chose a different one than in the recording. */
  #livePort({ server, serverPort }: Omit<RecordedConnection, "outcome">): Port {
    const { chosenPorts, sockets } = this.#parts;
    if (!chosenPorts.has(server)) return serverPort;
    const listening = sockets.listeningPorts(server);
    return chosenPorts.portFor(server, serverPort, listening) ?? serverPort;
  }

  /** A server has as long to start as it took in the recording, plus the patience. */
  #untilListeningMs(event: EventNumber): number {
    const { reactor, index, patienceMs } = this.#parts;
    const recordedMs = index.deliveryNs(event) / 1e6;
    return patienceMs + Math.max(0, recordedMs - (reactor.nowMs - this.#startedMs));
  }
}
