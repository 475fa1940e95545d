/**
 * Admits connections that live processes open: it holds the SYN until the schedule says whether the
 * recorded server accepts or refuses, and then plays that server.
 *
 * If only its first bytes can identify a connection, it is let in at once, and identified later.
 */
import type { ConnectionNumber, ContainerIndex, EventNumber } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import type { Fd } from "../../base/units.ts";
import type { Subnet } from "../../net/subnet.ts";
import { type Attempt, type AttemptExits, Attempts } from "../../pipe/attempts.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import { Doors } from "../../pipe/doors.ts";
import { PipeSocket, nobody } from "../../pipe/pipe-socket.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Reactor } from "../../sys/reactor.ts";
import { closeWithReset } from "../../sys/socket.ts";
import type { StarvingThreads } from "../../sys/threads.ts";
import type { Matching, PendingMatch } from "../match/matching.ts";
import type { LiveEnds } from "./live-ends.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";

export interface AdmissionParts {
  readonly reactor: Reactor;
  readonly subnets: readonly Subnet[];
  readonly index: RecordingIndex;
  readonly matching: Matching;
  readonly ends: LiveEnds;
  /** The destination of SYNs and resets: the switch. */
  readonly exits: AttemptExits;
  readonly watchThreads: (container: ContainerIndex) => StarvingThreads;
}

/** Reacts to the fate of an admitted attempt: the kernel accepts it, or its client is gone. */
export interface Entering {
  readonly entered: (end: PipeSocket) => void;
  readonly abandoned: () => void;
}

/** An attempt that waits for the schedule's answer. */
interface Asking {
  readonly attempt: Attempt<Entering>;
  readonly runner: ScheduleRunner;
}

export class Admission {
  readonly attempts: Attempts<Entering>;
  readonly #parts: AdmissionParts;
  readonly #doors: Doors;
  /** By connection. */
  readonly #asking = new Map<number, Asking>();
  /** By connection: accept events that came while another live connection stood in for it. */
  readonly #acceptedEarly = new Map<number, number>();

  constructor(parts: AdmissionParts) {
    const { reactor, subnets, exits } = parts;
    this.#parts = parts;
    this.attempts = new Attempts(reactor, exits);
    this.#doors = new Doors(reactor, subnets, (connection, fd) => this.#onAccepted(connection, fd));
  }

  /** The live process of `runner` asks for a connection. */
  ask(runner: ScheduleRunner, attempt: Attempt<Entering>): void {
    const { client } = attempt.connection;
    const windowEnd = runner.schedule.windowEnd(client);
    const match = this.#parts.matching.attempt(attempt.connection, windowEnd);
    if (match.type === "none") this.attempts.refuse(attempt);
    else if (match.type === "deferred") this.#letInUndecided(attempt, runner, match.pending);
    else this.#await(match.connection, { attempt, runner });
    runner.moved();
  }

  /** Takes the connections that the kernel has accepted for this port. */
  acceptWaiting({ family, server, serverPort }: Connection): void {
    this.#doors.acceptWaiting(family, server, serverPort);
  }

  /** The client gave the attempt up. */
  abandon(attempt: Attempt<Entering>): void {
    attempt.work?.abandoned();
    attempt.work = undefined;
    for (const [connection, asking] of this.#asking) {
      if (asking.attempt !== attempt) continue;
      this.#asking.delete(connection);
      asking.runner.schedule.noteReset(connection, Direction.toServer);
      asking.runner.moved();
    }
  }

  /** A gone client's kernel resets any answer. A recorded reset of this kind counts as done. */
  noteGone(container: ContainerIndex): void {
    const { connections } = this.#parts.index;
    for (const [connection, { attempt, runner }] of this.#asking)
      if (attempt.connection.client === container)
        if (connections.hasReset(connection, Direction.toServer))
          runner.schedule.noteReset(connection, Direction.toServer);
  }

  /** Whether the process of `container` waits for an answer. */
  isAsking(container: ContainerIndex): boolean {
    return [...this.#asking.values()].some(
      ({ attempt }) => attempt.connection.client === container,
    );
  }

  /** The recorded server accepts the live client. One that was let in undecided is in already. */
  accept(runner: ScheduleRunner, event: EventNumber): void {
    const connection = this.#parts.index.connection(event);
    const attempt = this.#takeAsking(connection);
    if (!attempt) {
      this.#acceptedEarly.set(connection, event);
      return runner.schedule.noteDelivered(event);
    }
    this.#letIn(attempt, {
      entered: (end) => {
        const wire = attempt.connection;
        const live = this.#parts.ends.add(end, runner, wire, Direction.toServer, connection);
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

  /** The recorded server refuses the live client. */
  refuse(runner: ScheduleRunner, event: EventNumber): void {
    const attempt = this.#takeAsking(this.#parts.index.connection(event));
    if (attempt) this.attempts.refuse(attempt);
    runner.schedule.noteDelivered(event);
  }

  #await(connection: ConnectionNumber, asking: Asking): void {
    const { runner } = asking;
    this.#asking.set(connection, asking);
    runner.schedule.noteConnected(connection);
    const accept = this.#acceptedEarly.get(connection);
    if (accept !== undefined) this.accept(runner, accept);
  }

  #takeAsking(connection: ConnectionNumber): Attempt<Entering> | undefined {
    const asking = this.#asking.get(connection);
    this.#asking.delete(connection);
    return asking?.attempt;
  }

  #letInUndecided(attempt: Attempt<Entering>, runner: ScheduleRunner, pending: PendingMatch): void {
    this.#letIn(attempt, {
      entered: (end) => {
        const wire = attempt.connection;
        const live = this.#parts.ends.add(end, runner, wire, Direction.toServer, pending);
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
}
