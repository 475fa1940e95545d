/**
 * The player connects the pure cores with kernel sockets: it carries out their decisions, and notes
 * what happens on the sockets. For each live process, sockets of the pipe space play all its peers.
 *
 *     SYN of a live process   -> matching -> the schedule says when it is accepted or refused
 *                                            (admission.ts)
 *     schedule: connect       -> dial to the live process, from the recorded client's address, port
 *                                (dialer.ts)
 *     schedule: data, end ... -> live-end.ts, which also takes what the process sends
 *
 * A runner (schedule-runner.ts) asks its schedule for the next event, and event-player.ts lets it
 * happen.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Attempt, AttemptExits } from "../../pipe/attempts.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import { type AttemptHandler, Entrance } from "../../pipe/entrance.ts";
import type { PacketObserver, TcpInterceptor } from "../../switch/switch.ts";
import { virtioNetHeaderBytes } from "../../sys/abi.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { Admission, type AdmissionParts, type Entering } from "./admission.ts";
import { Dialer, type DialerParts } from "./dialer.ts";
import { EventPlayer, type EventPlayerParts } from "./event-player.ts";
import { LiveEnds, type LiveEndsParts } from "./live-ends.ts";
import { type PacketExits, PacketPlayer } from "./packet-player.ts";
import { Runners } from "./runners.ts";
import { ScheduleRunner } from "./schedule-runner.ts";

/** The collaborators of the player. */
export type PlayerParts = LiveEndsParts &
  Omit<AdmissionParts, "ends" | "exits"> &
  Omit<DialerParts, "ends"> &
  Omit<EventPlayerParts, "ends" | "admission" | "dialer" | "packets"> & {
    readonly schedules: readonly Schedule[];
    /** How long nothing moves before a process counts as quiet. */
    readonly quietMs: number;
    /** The destination of frames: the switch. */
    readonly exits: AttemptExits & PacketExits;
  };

export class Player implements AttemptHandler<Entering>, PacketObserver {
  /** Takes the SYNs of live processes. */
  readonly interceptor: TcpInterceptor;
  readonly runners: Runners;
  readonly #parts: PlayerParts;
  readonly #ends: LiveEnds;
  readonly #admission: Admission;
  readonly #dialer: Dialer;
  readonly #packets: PacketPlayer;

  constructor(parts: PlayerParts) {
    this.#parts = parts;
    const { reactor, matching, quietMs, patienceMs } = parts;
    const ends = new LiveEnds(parts);
    const admission = new Admission({ ...parts, ends });
    const dialer = new Dialer({ ...parts, ends });
    const packets = new PacketPlayer(parts);
    const events = new EventPlayer({ ...parts, ends, admission, dialer, packets });
    this.#ends = ends;
    this.#admission = admission;
    this.#dialer = dialer;
    this.#packets = packets;
    this.runners = new Runners(
      parts.schedules.map(
        (schedule) => new ScheduleRunner(schedule, reactor, matching, events, quietMs, patienceMs),
      ),
    );
    this.interceptor = new Entrance(admission.attempts, this);
  }

  /** Starts all schedules. */
  start(): void {
    for (const runner of this.runners.all) runner.queue();
  }

  /** The live process of this container is gone, and everything that it sent has been read. */
  noteGone(container: ContainerIndex): void {
    this.#admission.noteGone(container);
    this.#parts.startHold?.noteGone(container);
    this.#parts.datagramPace.noteGone(container);
    for (const runner of this.runners.all) {
      runner.schedule.noteGone(container);
      runner.queue();
    }
  }

  /** Whether a process of `container` has a connection, or is about to get one. */
  hasOpen(container: ContainerIndex): boolean {
    return (
      this.#admission.isAsking(container) || this.#dialer.isDialing || this.#ends.hasOpen(container)
    );
  }

  /** The run is over: cancels open dials and reports remaining differences. */
  finish(): void {
    this.#dialer.cancel();
    this.#ends.finish();
  }

  onAttempt(attempt: Attempt<Entering>): void {
    const runner = this.runners.of(attempt.connection.client);
    if (!runner) return this.#admission.attempts.refuse(attempt);
    this.#parts.onConnection();
    this.#admission.ask(runner, attempt);
  }

  onRepeated(): void {
    // The schedule answers it when its turn comes.
  }

  onReplaced(connection: Connection): void {
    this.#admission.acceptWaiting(connection);
  }

  onAbandoned(attempt: Attempt<Entering>): void {
    this.#admission.abandon(attempt);
  }

  onPacket(
    from: ContainerIndex,
    to: ContainerIndex,
    bytes: Uint8Array,
    at: number,
    lengthBytes: number,
  ): boolean {
    const frame = bytes.subarray(at - virtioNetHeaderBytes, at + lengthBytes);
    return this.#packets.onPacket(this.runners, from, to, frame);
  }
}
