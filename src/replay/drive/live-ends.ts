/** The live connections of a replay, found by the recorded connection that each of them is. */
import { type Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import type { PipeSocket } from "../../pipe/pipe-socket.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { allocateRegion } from "../../sys/memory.ts";
import { Pieces } from "../../sys/pieces.ts";
import type { Reactor } from "../../sys/reactor.ts";
import type { CompareParts } from "../compare/compare.ts";
import { comparisonFor } from "../compare/comparison.ts";
import type { Matching, PendingMatch } from "../match/matching.ts";
import { endOf } from "../progress/progress.ts";
import { LiveEnd, type LiveParts } from "./live-end.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";
import type { ContainerSockets } from "./container-sockets.ts";

/** What live connections are made of. */
export interface LiveEndsParts {
  readonly reactor: Reactor;
  readonly index: RecordingIndex;
  readonly file: PayloadFile;
  readonly matching: Matching;
  /** Absent with `--no-compare`. */
  readonly compare: Omit<CompareParts, "read"> | undefined;
  readonly sockets: ContainerSockets;
  readonly onBytes: (lengthBytes: number) => void;
}

/** What happens on a connection once it is accepted. */
type StreamKind = (typeof RecordKind)["data" | "end" | "reset"];

const receiveBytes = 0x1_0000;

export class LiveEnds {
  readonly #parts: LiveEndsParts;
  readonly #shared: LiveParts;
  /** By end. */
  readonly #live = new Map<number, LiveEnd>();
  readonly #pending = new Set<LiveEnd>();
  readonly #outgoing = PayloadFile.room();
  readonly #recorded = PayloadFile.room();

  constructor(parts: LiveEndsParts) {
    this.#parts = parts;
    this.#shared = this.#share();
  }

  /** The live process is at `socket`, an end of `wire`, and sends in `direction`: see {@link LiveEnd}. */
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

  /** The connection that `event` happens on. Where the server speaks first, that identifies it. */
  receiverOf(event: number): LiveEnd | undefined {
    const { index, matching } = this.#parts;
    const connection = index.connection(event);
    const known = this.#live.get(endOf(connection, opposite(index.direction(event))));
    if (known !== undefined || !isStreamKind(index.kind(event))) return known;
    const match = matching.silentFor(connection);
    const live = match && [...this.#pending].find((one) => one.isPending(match));
    live?.resolveAs(connection);
    return live;
  }

  /** The connection on which `event`, a piece of a stream, is waited for. */
  senderOf(event: number): LiveEnd | undefined {
    const { index } = this.#parts;
    if (index.kind(event) !== RecordKind.data) return undefined;
    return this.#live.get(endOf(index.connection(event), index.direction(event)));
  }

  /** The processes of `runner` are quiet: see {@link Performer.settle}. */
  settle(runner: ScheduleRunner): void {
    for (const live of this.#pending) if (live.runner === runner) live.settle();
    const { index } = this.#parts;
    const event = runner.waitingFor;
    const live = event < 0 ? undefined : this.senderOf(event);
    if (!live?.hasDiffered) return;
    const position = index.streamOffset(event) + index.lengthBytes(event);
    runner.schedule.noteBytes(live.connection, live.direction, position);
  }

  /** A stream is about to be reported to lack something: other bytes in it are reported first. */
  tell(connection: number, direction: Direction): void {
    this.#live.get(endOf(connection, direction))?.tell();
  }

  /** The run is over: what was compared so far is judged. */
  finish(): void {
    for (const live of this.#live.values()) live.finish();
  }

  #share(): LiveParts {
    const { reactor, index, file, compare, sockets, onBytes } = this.#parts;
    const read = (position: number, lengthBytes: number): Uint8Array => {
      file.readInto(this.#recorded.bytes, 0, position, lengthBytes);
      return this.#recorded.bytes.subarray(0, lengthBytes);
    };
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
      comparisonFor: (connection, direction) =>
        compare && comparisonFor({ ...compare, read }, connection, direction),
      onIdentified: (live) => {
        this.#pending.delete(live);
        this.#live.set(endOf(live.connection, live.direction), live);
      },
    };
  }
}

function isStreamKind(kind: RecordKind): kind is StreamKind {
  return kind === RecordKind.data || kind === RecordKind.end || kind === RecordKind.reset;
}
