/**
 * The player connects the pure cores with kernel sockets: it carries out their decisions, and notes
 * what happens on the sockets. For each live process, sockets of the pipe space play all its peers.
 *
 *     SYN of a live process   -> matching -> the schedule says when it is accepted or refused
 *     schedule: connect       -> dial to the live process, from the recorded client's address, port
 *     schedule: data, end ... -> live-end.ts, which also takes what the process sends
 */
import { Direction } from "../../base/direction.ts";
import { unreachable } from "../../base/assert.ts";
import type { Fd, Port } from "../../base/units.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import { type Attempt, type AttemptHandler, Attempts } from "../../pipe/attempts.ts";
import { type Connection } from "../../pipe/core/connection.ts";
import { DialQueues } from "../../pipe/dial-queue.ts";
import { Dial } from "../../pipe/dial.ts";
import { Doors } from "../../pipe/doors.ts";
import { PipeSocket, nobody } from "../../pipe/pipe-socket.ts";
import { type Subnet, subnetFor } from "../../net/subnet.ts";
import { ECONNREFUSED } from "../../sys/errno.ts";
import { closeWithReset } from "../../sys/socket.ts";
import type { StarvingThreads } from "../../sys/threads.ts";
import type { LiveEnd } from "./live-end.ts";
import { LiveEnds, type LiveEndsParts } from "./live-ends.ts";
import type { ChosenPorts } from "../match/chosen-ports.ts";
import type { PendingMatch } from "../match/matching.ts";
import type { RecordedConnection } from "../../recording/connection-table.ts";
import { PacketPlayer, type PacketPlayerParts } from "./packet-player.ts";
import type { ReadBarrier } from "./read-barrier.ts";
import type { DatagramPace } from "./datagram-pace.ts";
import type { StartHold } from "./start-hold.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { type Performer, ScheduleRunner } from "./schedule-runner.ts";

/** The collaborators of the player. */
export interface PlayerParts extends LiveEndsParts {
  readonly subnets: readonly Subnet[];
  readonly schedules: readonly Schedule[];
  readonly patienceMs: number;
  /** How long nothing moves before a process counts as quiet. */
  readonly quietMs: number;
  /** How much longer an answer takes over the links of this run. */
  readonly linkMs: number;
  /** Absent if the replay does not order events across connections. */
  readonly readBarrier: ReadBarrier | undefined;
  /** Absent under `flood`. */
  readonly startHold: StartHold | undefined;
  readonly chosenPorts: ChosenPorts;
  readonly datagramPace: DatagramPace;
  readonly inject: PacketPlayerParts["inject"];
  readonly release: PacketPlayerParts["release"];
  readonly watchThreads: (container: number) => StarvingThreads;
  readonly onConnection: () => void;
  /** Called just before `event` happens to its receiver. */
  readonly onDelivery: (event: number) => void;
}

/**
 * How long a server has to answer a SYN that it accepted in the recording. Its kernel may drop a
 * SYN: if the process holds a socket that was just reset, for a connection with the same ports, the
 * kernel queues the SYN for that socket and then drops it (tcp_v4_rcv, sk_add_backlog).
 */
const answerMs = 100;

/** The recording says which family was refused, so there is no need to test. */
const isServedInOtherFamily = (): boolean => false;

/** Events on an accepted connection. */
type StreamKind = (typeof RecordKind)["data" | "end" | "reset"];

/** Reacts to the fate of an admitted attempt: the kernel accepts it, or its client is gone. */
interface Entering {
  readonly entered: (end: PipeSocket) => void;
  readonly abandoned: () => void;
}

export class Player implements AttemptHandler<Entering>, Performer {
  readonly attempts: Attempts<Entering>;
  readonly runners: readonly ScheduleRunner[];
  readonly packets: PacketPlayer;
  readonly #parts: PlayerParts;
  readonly #startedMs: number;
  readonly #ends: LiveEnds;
  readonly #doors: Doors;
  /** By container. */
  readonly #runnerOf = new Map<number, ScheduleRunner>();
  /** By connection: attempts that wait for the schedule's answer. */
  readonly #asking = new Map<number, Attempt<Entering>>();
  /** By connection: accept events that came while another live connection stood in for it. */
  readonly #acceptedEarly = new Map<number, number>();
  readonly #dials = new Set<Dial>();
  readonly #queues: DialQueues;

  constructor(parts: PlayerParts) {
    const { reactor, subnets, schedules, matching } = parts;
    this.#parts = parts;
    this.attempts = new Attempts(this, reactor);
    this.#startedMs = reactor.nowMs;
    this.#ends = new LiveEnds(parts);
    this.#doors = new Doors(reactor, subnets, (connection, fd) => this.#onAccepted(connection, fd));
    this.#queues = new DialQueues(reactor);
    this.runners = schedules.map(
      (schedule) =>
        new ScheduleRunner(schedule, reactor, matching, this, parts.quietMs, parts.patienceMs),
    );
    for (const runner of this.runners)
      for (const container of runner.schedule.containers) this.#runnerOf.set(container, runner);
    this.packets = new PacketPlayer({ ...parts, runners: this.runners });
  }

  /** Starts all schedules. */
  start(): void {
    for (const runner of this.runners) runner.queue();
  }

  isDone(): boolean {
    return this.runners.every((runner) => runner.isDone);
  }

  /** When anything last moved, in milliseconds of the reactor's clock. */
  get movedMs(): number {
    return Math.max(...this.runners.map(({ movedMs }) => movedMs));
  }

  /** The live process of this container is gone, and everything that it sent has been read. */
  noteGone(container: number): void {
    this.#resetUnanswered(container);
    this.#parts.startHold?.noteGone(container);
    this.#parts.datagramPace.noteGone(container);
    for (const runner of this.runners) {
      runner.schedule.noteGone(container);
      runner.queue();
    }
  }

  /** Whether a process of `container` has a connection, or is about to get one. */
  hasOpen(container: number): boolean {
    const asks = [...this.#asking.values()].some(
      ({ connection }) => connection.client === container,
    );
    return asks || this.#dials.size > 0 || this.#ends.hasOpen(container);
  }

  /** The run is over: cancels open dials and reports remaining differences. */
  finish(): void {
    for (const dial of this.#dials) dial.cancel();
    this.#ends.finish();
  }

  onAttempt(attempt: Attempt<Entering>): void {
    const runner = this.#runnerOf.get(attempt.connection.client);
    if (!runner) return this.attempts.refuse(attempt);
    const { client } = attempt.connection;
    const match = this.#parts.matching.attempt(
      attempt.connection,
      runner.schedule.windowEnd(client),
    );
    this.#parts.onConnection();
    if (match.type === "none") this.attempts.refuse(attempt);
    else if (match.type === "deferred") this.#letInUndecided(attempt, runner, match.pending);
    else {
      this.#asking.set(match.connection, attempt);
      runner.schedule.noteConnected(match.connection);
      const accept = this.#acceptedEarly.get(match.connection);
      if (accept !== undefined) this.#accept(runner, accept);
    }
    runner.moved();
  }

  onRepeated(): void {
    // The schedule answers it when its turn comes.
  }

  onAbandoned(attempt: Attempt<Entering>): void {
    attempt.work?.abandoned();
    attempt.work = undefined;
    for (const [connection, asking] of this.#asking) {
      if (asking !== attempt) continue;
      this.#asking.delete(connection);
      const runner = this.#runnerOf.get(attempt.connection.client);
      runner?.schedule.noteReset(connection, Direction.toServer);
      runner?.moved();
    }
  }

  /** A gone client's kernel resets any answer. A recorded reset of this kind counts as done. */
  #resetUnanswered(container: number): void {
    const { connections } = this.#parts.index;
    for (const [connection, { connection: wire }] of this.#asking)
      if (wire.client === container && connections.hasReset(connection, Direction.toServer))
        this.#runnerOf.get(container)?.schedule.noteReset(connection, Direction.toServer);
  }

  deliver(runner: ScheduleRunner, event: number): number {
    const { index, readBarrier, startHold, datagramPace } = this.#parts;
    if (index.kind(event) === RecordKind.connect) {
      const waitMs = startHold?.holdMs(event) ?? 0;
      if (waitMs > 0) return waitMs;
    }
    if (index.kind(event) === RecordKind.packet && !this.#runnerOf.has(index.sender(event))) {
      const waitMs = datagramPace.holdMs(event);
      if (waitMs > 0) return waitMs;
    }
    const live = this.#ends.receiverOf(runner, event);
    const isReset = index.kind(event) === RecordKind.reset;
    const askMs = isReset ? (live?.askForReset() ?? 0) : 0;
    const holdMs = askMs || (readBarrier?.holdMs(event, live) ?? 0);
    if (holdMs === 0) this.#perform(runner, event, live);
    return holdMs;
  }

  #perform(runner: ScheduleRunner, event: number, live: LiveEnd | undefined): void {
    const { index, readBarrier, onDelivery } = this.#parts;
    const kind = index.kind(event);
    onDelivery(event);
    switch (kind) {
      case RecordKind.packet:
        return this.packets.deliver(runner, event);
      case RecordKind.connect:
        return this.#dial(runner, event);
      case RecordKind.accept:
        return this.#accept(runner, event);
      case RecordKind.refuse:
        return this.#refuse(runner, event);
      case RecordKind.data:
      case RecordKind.end:
      case RecordKind.reset:
        if (live) readBarrier?.noteSent(index.receiver(event), live);
        return this.#deliverTo(runner, event, kind, live);
      default:
        return unreachable(kind);
    }
  }

  isAstray(runner: ScheduleRunner, event: number): boolean {
    return this.#ends.isAstray(runner, event);
  }

  hasHeld(runner: ScheduleRunner): boolean {
    return this.#ends.hasHeld(runner);
  }

  settle(runner: ScheduleRunner): void {
    this.#ends.settle(runner);
    runner.moved();
  }

  /** See {@link LiveEnds.tell}. */
  tell(connection: number, direction: Direction): string | undefined {
    return this.#ends.tell(connection, direction);
  }

  #letInUndecided(attempt: Attempt<Entering>, runner: ScheduleRunner, pending: PendingMatch): void {
    this.#letIn(attempt, {
      entered: (end) => {
        const wire = attempt.connection;
        const live = this.#ends.add(end, runner, wire, Direction.toServer, pending);
        runner.schedule.noteOpened(pending.kept);
        live.read();
      },
      abandoned: () => {
        const connection = pending.conclude();
        runner.schedule.noteConnected(connection);
        runner.schedule.noteReset(connection, Direction.toServer);
        runner.moved();
      },
    });
  }

  #letIn(attempt: Attempt<Entering>, entering: Entering): void {
    const { family, server, serverPort } = attempt.connection;
    if (typeof this.#doors.open(family, server, serverPort) === "number")
      return this.attempts.refuse(attempt);
    attempt.work = entering;
    this.attempts.admit(attempt);
  }

  #onAccepted(connection: Connection, fd: Fd): void {
    const attempt = this.attempts.take(connection);
    const entering = attempt?.work;
    if (!entering) {
      closeWithReset(fd);
      return;
    }
    attempt.work = undefined;
    const { reactor, watchThreads } = this.#parts;
    entering.entered(
      PipeSocket.accepted(reactor, fd, nobody, () => watchThreads(connection.client)),
    );
  }

  /** The recorded server accepts the live client. One that was let in undecided is in already. */
  #accept(runner: ScheduleRunner, event: number): void {
    const connection = this.#parts.index.connection(event);
    const attempt = this.#takeAsking(connection);
    if (!attempt) {
      this.#acceptedEarly.set(connection, event);
      return runner.schedule.noteDelivered(event);
    }
    this.#letIn(attempt, {
      entered: (end) => {
        const wire = attempt.connection;
        const live = this.#ends.add(end, runner, wire, Direction.toServer, connection);
        runner.schedule.noteDelivered(event);
        live.read();
      },
      abandoned: () => {
        runner.schedule.noteDelivered(event);
        runner.schedule.noteReset(connection, Direction.toServer);
        runner.moved();
      },
    });
  }

  #refuse(runner: ScheduleRunner, event: number): void {
    const attempt = this.#takeAsking(this.#parts.index.connection(event));
    if (attempt) this.attempts.refuse(attempt);
    runner.schedule.noteDelivered(event);
  }

  #takeAsking(connection: number): Attempt<Entering> | undefined {
    const attempt = this.#asking.get(connection);
    this.#asking.delete(connection);
    return attempt;
  }

  /** The recorded client connects to the live server. */
  #dial(runner: ScheduleRunner, event: number): void {
    const { reactor, subnets, index, linkMs } = this.#parts;
    const number = index.connection(event);
    const { outcome, ...recorded } = index.connections.describe(number);
    const connection = { ...recorded, serverPort: this.#livePort(recorded) };
    const subnet = subnetFor(subnets, connection.family);
    const isAccepted = outcome === "accepted";
    const waitListenMs = isAccepted ? this.#untilListeningMs(event) : 0;
    this.#parts.onConnection();
    runner.schedule.noteDelivered(event);
    const options = {
      subnet,
      connection,
      queue: this.#queues.of(connection),
      // No retry for a SYN without a recorded answer: it might be answered now.
      isWanted: () => outcome !== "unanswered",
      waitListenMs,
      ...(isAccepted ? { answerMs } : {}),
      linkMs,
      isServedInOtherFamily,
    };
    const onConnected = (end: PipeSocket): void => {
      this.#dials.delete(dial);
      const wire = connection;
      const live = this.#ends.add(end, runner, wire, Direction.toClient, number);
      runner.schedule.noteAccepted(number);
      live.read();
    };
    const dial = new Dial(reactor, options, {
      onConnected,
      onSilent: () => dial.again(),
      onFailed: (error) => {
        this.#dials.delete(dial);
        if (error === ECONNREFUSED) runner.schedule.noteRefused(number);
        runner.moved();
      },
      onUnwanted: () => this.#dials.delete(dial),
    });
    this.#dials.add(dial);
    const fd = dial.start();
    if (fd !== undefined) onConnected(new PipeSocket(reactor, fd, nobody));
  }

  /** The live port, where the process chose a different one than in the recording. */
  #livePort({ server, serverPort }: Omit<RecordedConnection, "outcome">): Port {
    const { chosenPorts, sockets } = this.#parts;
    if (!chosenPorts.has(server)) return serverPort;
    const listening = sockets.listeningPorts(server);
    return chosenPorts.portFor(server, serverPort, listening) ?? serverPort;
  }

  /** A server has as long to start as it took in the recording, plus the patience. */
  #untilListeningMs(event: number): number {
    const { reactor, index, patienceMs } = this.#parts;
    const recordedMs = index.deliveryNs(event) / 1e6;
    return patienceMs + Math.max(0, recordedMs - (reactor.nowMs - this.#startedMs));
  }

  /** Delivers an event on an accepted connection. It has no effect if the connection is gone. */
  #deliverTo(
    runner: ScheduleRunner,
    event: number,
    kind: StreamKind,
    live: LiveEnd | undefined,
  ): void {
    if (!live) runner.schedule.noteDelivered(event);
    else if (kind === RecordKind.data) live.sendData(event);
    else if (kind === RecordKind.end) live.sendEnd(event);
    else live.sendReset(event);
  }
}
