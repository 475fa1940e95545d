/**
 * Decides when recorded events happen to the live processes: the driver's interface to a replay.
 *
 * The driver notes what the processes do (`note...`) and asks for the next step (`next`). The
 * schedule's only call in the other direction reports a difference. The rest of this folder makes
 * the decisions, above all cursor-engine.ts.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  endOf,
  type EventNumber,
  everyone,
  noEnd,
} from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { ReportDifference } from "../findings/differences.ts";
import { Gate } from "./gate.ts";
import { hasHappened } from "../findings/happened.ts";
import { Verdicts } from "../findings/verdicts.ts";
import { Packets } from "./packets.ts";
import { Done, type Progress } from "../progress/progress.ts";
import type { Exchange } from "../../recording/exchange.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { globalScript, type LiveSet, scriptOf } from "./script.ts";
import type { ScheduleOptions, Step } from "./step.ts";
import { CursorEngine } from "./cursor-engine.ts";

export { type Order, type Release, type ScheduleOptions, speedOf, type Step } from "./step.ts";

export class Schedule {
  /** The live processes that it plays to: one, or all with `--order global`. */
  readonly containers: readonly number[];
  /** The recording as it is played to these processes. Matching may detach exchanges in it. */
  readonly index: RecordingIndex;
  readonly #progress: Progress;
  readonly #verdicts: Verdicts;
  readonly #gate: Gate;
  readonly #engine: CursorEngine;
  readonly #floods: boolean;
  readonly #windows = new Map<number, number>();
  /** Connections whose live clients may still ask something. */
  readonly #open = new Set<number>();
  /** Pools whose last client to end a connection had left something out. */
  readonly #unfinished = new Set<string>();
  /** Pools whose connections have left the common order. */
  readonly #loose = new Set<string>();

  constructor(
    recording: RecordingIndex,
    live: LiveSet,
    containers: readonly number[],
    progress: Progress,
    options: ScheduleOptions,
    report: ReportDifference,
  ) {
    const index = recording.another();
    const [container] = containers;
    const script =
      containers.length === 1 && container !== undefined
        ? scriptOf(index, container)
        : globalScript(index, live);
    this.containers = containers;
    this.index = index;
    this.#progress = progress;
    const floods = options.release.type === "flood";
    this.#floods = floods;
    this.#verdicts = new Verdicts(index, progress, report, floods);
    const parts = { index, progress, verdicts: this.#verdicts };
    const packets = new Packets(index, live, script);
    this.#gate = new Gate({ ...parts, packets }, live, new Set(containers), floods);
    this.#engine = new CursorEngine({ ...parts, gate: this.#gate, options }, script);
  }

  /** The number of events in the script. */
  get total(): number {
    return this.#engine.script.length;
  }

  /** The number of events that have happened or were given up. */
  get played(): number {
    return this.#engine.isDone ? this.total : Math.min(this.total, this.#engine.played);
  }

  /** The number of events that have happened, without those given up. Checks every event. */
  countHappened(): number {
    const mine = new Set(this.containers);
    const happened = this.#engine.script.filter((event) =>
      hasHappened(this.index, this.#progress, mine, event),
    );
    return Math.min(this.played, happened.length);
  }

  /**
   * The next step at `nowMs`. Ask after each note, at `untilMs`, and repeatedly until it is `wait`.
   */
  next(nowMs: number): Step {
    return this.#engine.next(nowMs);
  }

  /** The live process opened this connection, which was matched. */
  noteConnected(connection: ConnectionNumber): void {
    const end = endOf(connection, Direction.toServer);
    this.#progress.mark(end, Done.connected);
    this.#tighten(connection);
    this.#open.add(connection);
    this.#engine.connected(end);
    this.#loosen(connection);
  }

  /**
   * The live process opened a connection that is not identified yet; `connection` is reserved for
   * it.
   */
  noteOpened(connection: ConnectionNumber): void {
    const end = endOf(connection, Direction.toServer);
    this.#progress.mark(end, Done.opened);
    this.#engine.acted(end);
  }

  /**
   * The live process asks for `connection`, an exchange that was detached from another connection.
   * From now on all connections between the process and that port leave the common order, and each
   * exchange on them waits only for its own request. (An exchange that moved may wait for others of
   * the pool, or they for it, so the recorded order may be impossible.)
   */
  noteAsked(connection: ConnectionNumber): void {
    this.#engine.asked(endOf(connection, Direction.toServer));
    this.#loosenPool(connection);
  }

  /**
   * The live connection that was matched with `left` is that of `exchange`, for which its client
   * asks now. The pool leaves the common order, because the process is not where that order is.
   */
  noteRematched(left: number, exchange: Exchange): void {
    const end = endOf(exchange.connection, Direction.toServer);
    const leftEnd = endOf(left, Direction.toServer);
    const first = this.index.byConnection[this.index.connections.from(left)] as number;
    this.#progress.mark(end, Done.connected);
    this.#progress.noteSent(end, exchange.questionFrom);
    this.#progress.noteReceived(end, exchange.answerFrom);
    this.#progress.startOver(leftEnd, first);
    this.#open.delete(left);
    this.#open.add(exchange.connection);
    this.#engine.rematched(leftEnd, end, exchange.from);
    this.#loosenPool(exchange.connection);
  }

  #loosenPool(connection: ConnectionNumber): void {
    const pool = this.index.connections.poolOf(connection);
    if (this.#loose.has(pool)) return;
    this.#loose.add(pool);
    for (let number = 1; number <= this.index.connections.count; number++) this.#loosen(number);
  }

  /**
   * If no other connection of the pool is open, and the last one left nothing out, `connection` and
   * the following ones are in the common order again.
   */
  #tighten(connection: ConnectionNumber): void {
    const { connections } = this.index;
    const pool = connections.poolOf(connection);
    if (!this.#loose.has(pool)) return;
    const isOpen = [...this.#open].some((one) => connections.poolOf(one) === pool);
    if (!isOpen && !this.#unfinished.has(pool)) this.#loose.delete(pool);
  }

  /** Takes a connection out of the common order if its pool has left it. */
  #loosen(connection: ConnectionNumber): void {
    if (this.#loose.size === 0) return;
    const end = endOf(connection, Direction.toServer);
    if (!this.#progress.has(end, Done.connected)) return;
    if (this.#loose.has(this.index.connections.poolOf(connection))) this.#engine.loosen(end);
  }

  /** Whether the schedule has passed `event`. If the event has not happened, it was given up. */
  isPast(event: EventNumber): boolean {
    return this.#engine.isPast(event);
  }

  /** Whether the common order has reached or passed `event`. */
  hasReached(event: EventNumber): boolean {
    const { script, at } = this.#engine;
    return (script[at] ?? Infinity) >= event;
  }

  /** The live process, as the server, accepted this connection. */
  noteAccepted(connection: ConnectionNumber): void {
    this.#verdicts.accepted(connection);
    this.#engine.accepted(endOf(connection, Direction.toClient));
  }

  /** The live process, as the server, refused this connection. */
  noteRefused(connection: ConnectionNumber): void {
    this.#verdicts.refused(connection);
    this.#engine.acted(endOf(connection, Direction.toClient));
  }

  /**
   * The live process has sent `totalBytes` in `direction`, counted in the recorded stream. On a
   * stream that went `astray` this does not extend patience: it may be an endless heartbeat.
   */
  noteBytes(
    connection: ConnectionNumber,
    direction: Direction,
    totalBytes: number,
    astray = false,
  ): void {
    const end = endOf(connection, direction);
    this.#progress.noteSent(end, totalBytes);
    this.#progress.mark(end, Done.spoke);
    this.#progress.clear(end, Done.silent);
    if (astray) this.#engine.strayed(end);
    else this.#engine.acted(end);
  }

  /**
   * The live process is quiet, and has yet to send `event`, on a stream that was cut off: no more
   * of it is awaited.
   */
  noteCutShort(event: EventNumber): void {
    const end = endOf(this.index.connection(event), this.index.direction(event));
    this.#progress.excuseBytes(end, this.index.endOffset(event));
    this.#engine.acted(end);
  }

  /**
   * In a protocol with units, notes the unit that the live process has to send next, for reports.
   * Call it before {@link noteBytes}, which may end a wait.
   */
  noteAwaitedUnit(
    connection: ConnectionNumber,
    direction: Direction,
    unit: string | undefined,
  ): void {
    this.#progress.noteAwaitedUnit(endOf(connection, direction), unit);
  }

  /**
   * The live client that was matched with `connection` asks nothing more on it. `isFinished`: it
   * has left nothing out.
   */
  noteClosed(connection: ConnectionNumber, isFinished: boolean): void {
    this.#open.delete(connection);
    const pool = this.index.connections.poolOf(connection);
    if (isFinished) this.#unfinished.delete(pool);
    else this.#unfinished.add(pool);
  }

  /** The live process, the sender of `direction`, ended it (FIN). */
  noteEnd(connection: ConnectionNumber, direction: Direction): void {
    this.#verdicts.ended(connection, direction);
    this.#engine.acted(endOf(connection, direction));
  }

  /**
   * The live process, the sender of `direction`, reset the connection, which ends all deliveries on
   * it.
   */
  noteReset(connection: ConnectionNumber, direction: Direction): void {
    if (direction === Direction.toServer) this.#open.delete(connection);
    this.#verdicts.reset(connection, direction);
    this.#engine.broke(endOf(connection, direction));
  }

  /**
   * A live process of this or another schedule sent a non-TCP packet. For `flow` see live-flows.ts.
   */
  notePacket(flow: number, sender: ContainerIndex): void {
    this.#gate.packets.note(flow);
    if (this.#gate.isMine(sender)) this.#engine.acted(noEnd);
    else this.#engine.arrived();
  }

  /**
   * Whether to hold back the last noted packet, which passes between two live processes: it came
   * before its receiver can expect it. A later delivery releases it: see {@link releasesPacket}.
   */
  holdsPacket(flow: number): boolean {
    if (this.#floods) return false;
    return this.#gate.packets.hold(flow, (event) => this.#engine.isBehind(event));
  }

  /** Whether the delivery of `event` releases the first held packet of its flow. */
  releasesPacket(event: EventNumber): boolean {
    return this.#gate.packets.release(this.index.flow(event));
  }

  /** Whether the packet `event` reaches the live process `container`. */
  getsPacket(container: ContainerIndex, event: EventNumber): boolean {
    return this.#gate.getsPacket(container, event);
  }

  /**
   * The driver has delivered `event`: the kernel took the bytes, or they are first in its backlog.
   */
  noteDelivered(event: EventNumber): void {
    if (this.index.kind(event) === RecordKind.packet) return this.#engine.delivered(noEnd, event);
    const end = this.#gate.receiverEnd(event);
    if (this.index.kind(event) === RecordKind.data) {
      const position = this.index.streamOffset(event) + this.index.lengthBytes(event);
      this.#progress.noteReceived(end, position);
      this.#progress.clear(end, Done.spoke);
    }
    this.#engine.delivered(end, event);
    if (this.#loose.size > 0) this.#loosen(this.index.connection(event));
  }

  /**
   * Notes movement that no other method reports: part of a delivery was taken. It extends patience.
   */
  noteMoved(): void {
    this.#engine.moved();
  }

  /**
   * The live process is gone and everything that it sent was noted. The schedule gives up the rest
   * of its acts without waiting, and delivers nothing more to it.
   */
  noteGone(container: ContainerIndex): void {
    this.#gate.noteGone(container);
    this.#engine.gone(container);
  }

  /**
   * The first event that the live process `container` cannot know about yet. Connections that it
   * made before this event may be open at once. An accept carries no news.
   */
  windowEnd(container: ContainerIndex = this.containers[0] ?? everyone): EventNumber {
    const { script, opens, at: mainAt } = this.#engine;
    if (opens) return this.index.eventCount;
    let at = Math.max(mainAt, this.#windows.get(container) ?? 0);
    while (at < script.length && !this.#isNews(script[at] as number, container)) at++;
    this.#windows.set(container, at);
    const news = script[at];
    if (news === undefined) return this.index.eventCount;
    // A script may place a connect later than its number suggests: see script.ts.
    const isConnect = this.index.kind(news) === RecordKind.connect;
    return isConnect ? (this.index.acceptOf(this.index.connection(news)) ?? news) : news;
  }

  #isNews(event: EventNumber, container: ContainerIndex): boolean {
    const kind = this.index.kind(event);
    if (kind === RecordKind.packet) return this.#gate.getsPacket(container, event);
    return this.index.receiver(event) === container && kind !== RecordKind.accept;
  }
}
