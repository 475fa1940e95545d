/** The live connections of a replay, by the recorded connection that each of them plays. */
import {
  type ConnectionNumber,
  type ContainerIndex,
  endOf,
  type EventNumber,
  noEvent,
} from "../../base/ids.ts";
import { Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import type { PipeSocket } from "../../pipe/pipe-socket.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { allocateRegion } from "../../sys/memory.ts";
import { Pieces } from "../../sys/pieces.ts";
import type { Reactor } from "../../sys/reactor.ts";
import type { CompareParts } from "../compare/compare.ts";
import { comparisonFor, isFramed } from "../compare/comparison.ts";
import type { Matching, PendingMatch } from "../match/matching.ts";
import type { Progress } from "../progress/progress.ts";
import { Conversation } from "../match/conversation.ts";
import { Exchanges } from "../match/exchanges.ts";
import type { Mask } from "../compare/masks.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { ReportDifference } from "../findings/differences.ts";
import { nameStream } from "../findings/stream-name.ts";
import type { ReadPayload } from "../../recording/recorded-stream.ts";
import { Listener } from "./listener.ts";
import { LiveEnd, type LiveParts } from "./live-end.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";
import type { ContainerSockets } from "./container-sockets.ts";

/** The collaborators of live connections. */
export interface LiveEndsParts {
  readonly reactor: Reactor;
  readonly index: RecordingIndex;
  readonly file: PayloadFile;
  readonly matching: Matching;
  /** Absent if bytes are not compared. */
  readonly compare: Omit<CompareParts, "read" | "index"> | undefined;
  readonly progress: Progress;
  /** Reads recorded payloads for comparison. */
  readonly read: ReadPayload;
  readonly report: ReportDifference;
  /** Whether exchanges may be played on other connections than recorded. */
  readonly movesExchanges: boolean;
  readonly masks: readonly Mask[];
  readonly sockets: ContainerSockets;
  readonly onBytes: (lengthBytes: number) => void;
}

/** Events on an accepted connection. */
type StreamKind = (typeof RecordKind)["data" | "end" | "reset"];

const receiveBytes = 0x1_0000;

export class LiveEnds {
  readonly #parts: LiveEndsParts;
  readonly #shared: LiveParts;
  /** By end. */
  readonly #live = new Map<number, LiveEnd>();
  readonly #pending = new Set<LiveEnd>();
  readonly #exchanges = new Map<Schedule, Exchanges>();
  /** Live connections that hold bytes, and some that did. */
  readonly #holding = new Set<LiveEnd>();
  readonly #outgoing = PayloadFile.room();

  constructor(parts: LiveEndsParts) {
    this.#parts = parts;
    this.#shared = this.#share();
  }

  /** Adds a connection of the live process at the other side of `socket`: see {@link LiveEnd}. */
  add(
    socket: PipeSocket,
    runner: ScheduleRunner,
    wire: Connection,
    direction: Direction,
    identity: number | PendingMatch,
  ): LiveEnd {
    const live = new LiveEnd(this.#shared, socket, runner, wire, direction, identity);
    if (typeof identity !== "number") this.#pending.add(live);
    return live;
  }

  /**
   * The live connection that `event` happens on. If the recorded server speaks first, this
   * identifies a pending one.
   */
  receiverOf({ schedule: { index } }: ScheduleRunner, event: EventNumber): LiveEnd | undefined {
    const { matching } = this.#parts;
    const connection = index.connection(event);
    const known = this.#live.get(endOf(connection, opposite(index.direction(event))));
    if (known !== undefined || !isStreamKind(index.kind(event))) return known;
    const match = matching.pendingFor(connection);
    const live = match && [...this.#pending].find((one) => one.isPending(match));
    live?.resolveAs(connection);
    return live;
  }

  /** The live connection on which `event`, a piece of a stream, is awaited. */
  senderOf({ schedule: { index } }: ScheduleRunner, event: EventNumber): LiveEnd | undefined {
    if (index.kind(event) !== RecordKind.data) return undefined;
    return this.#live.get(endOf(index.connection(event), index.direction(event)));
  }

  /** The processes of `runner` are quiet: see {@link Performer.settle}. */
  settle(runner: ScheduleRunner): void {
    for (const live of this.#pending) if (live.runner === runner) live.settle();
    for (const live of this.#holding) if (live.runner === runner) live.settle();
    const { index } = runner.schedule;
    const event = runner.waitingFor;
    if (event === noEvent || !this.isAstray(runner, event)) return;
    this.senderOf(runner, event)?.foresee();
    if (this.#parts.progress.isPastCut(index, event)) return runner.schedule.noteCutShort(event);
    const [connection, direction] = [index.connection(event), index.direction(event)];
    runner.schedule.noteBytes(connection, direction, index.endOffset(event));
  }

  /**
   * Whether a process of `runner` has sent bytes that are held until it is clear which question
   * they ask.
   */
  hasHeld(runner: ScheduleRunner): boolean {
    let isAny = false;
    for (const live of this.#holding)
      if (!live.isHolding) this.#holding.delete(live);
      else if (live.runner === runner) isAny = true;
    return isAny;
  }

  /**
   * Whether the runner waits for `event` on a stream that has differed or was cut off, or where a
   * mask covers it, so that it need not come as recorded.
   */
  isAstray(runner: ScheduleRunner, event: EventNumber): boolean {
    const { index } = runner.schedule;
    const live = this.senderOf(runner, event);
    if (live?.connection !== index.connection(event)) return false;
    return (
      live.isAstrayUpTo(index.endOffset(event)) || this.#parts.progress.isPastCut(index, event)
    );
  }

  /** Whether a process of `container` may still send something on a connection. */
  hasOpen(container: ContainerIndex): boolean {
    for (const ends of [this.#pending, this.#live.values()])
      for (const live of ends) if (live.container === container && live.isOpen) return true;
    return false;
  }

  /** The run is over: reports remaining differences. */
  finish(): void {
    for (const live of this.#live.values()) live.finish();
    this.#parts.matching.finish();
  }

  #share(): LiveParts {
    const { reactor, index, file, sockets, onBytes } = this.#parts;
    return {
      reactor,
      sockets,
      onBytes,
      incoming: Pieces.whole(allocateRegion(receiveBytes)),
      outgoing: Pieces.whole(this.#outgoing),
      readPayload: (event) => {
        const lengthBytes = index.lengthBytes(event);
        file.readInto(this.#outgoing.bytes, 0, index.payloadPosition(event), lengthBytes);
        return lengthBytes;
      },
      listenerFor: (connection, live) => this.#listenerFor(connection, live),
      onIdentified: (live) => {
        this.#pending.delete(live);
        this.#live.set(endOf(live.connection, live.direction), live);
      },
    };
  }

  #exchangesOf(schedule: Schedule): Exchanges | undefined {
    const { movesExchanges, progress, read, masks } = this.#parts;
    if (!movesExchanges) return undefined;
    const known = this.#exchanges.get(schedule);
    if (known !== undefined) return known;
    const hasReached = (event: EventNumber): boolean => schedule.hasReached(event);
    const { index } = schedule;
    const exchanges = new Exchanges({ index, progress, read, masks, hasReached });
    this.#exchanges.set(schedule, exchanges);
    return exchanges;
  }

  #listenerFor(connection: ConnectionNumber, live: LiveEnd): Listener {
    const { compare, progress, read, report } = this.#parts;
    const { direction, runner } = live;
    const { schedule } = runner;
    const { index } = schedule;
    const exchanges = this.#exchangesOf(schedule);
    const isClient = direction === Direction.toServer;
    // A connection that is compared by units interleaves questions and answers, so it has no
    // conversation.
    const converses = isClient && !isFramed({ index, read }, connection);
    const isPast = (event: EventNumber): boolean => schedule.isPast(event);
    const parts = { index, progress, matching: this.#parts.matching, isPast };
    return new Listener(
      {
        schedule,
        direction,
        comparisonFor: (number, from) =>
          compare && comparisonFor({ ...compare, index, read }, number, direction, from),
        conversation:
          converses && exchanges
            ? new Conversation({ ...parts, exchanges }, connection)
            : undefined,
        onHeld: () => this.#holding.add(live),
        onMoved: (number) => {
          this.#live.set(endOf(number, direction), live);
          const name = nameStream(index, number, direction);
          report({ kind: "moved-exchanges", ...name, exchanges: 1 });
        },
        onRematched: (from, to) => {
          if (this.#live.get(endOf(from, direction)) === live)
            this.#live.delete(endOf(from, direction));
          this.#live.set(endOf(to, direction), live);
        },
      },
      connection,
    );
  }
}

function isStreamKind(kind: RecordKind): kind is StreamKind {
  return kind === RecordKind.data || kind === RecordKind.end || kind === RecordKind.reset;
}
