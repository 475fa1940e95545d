/**
 * Decides which acts on a connection, apart from its bytes, are differences, and records the
 * progress. cursor-engine.ts decides when to stop waiting for an act.
 */
import {
  type ConnectionNumber,
  type ContainerIndex,
  type EndId,
  endOf,
  type EventNumber,
} from "../../base/ids.ts";
import { Direction, opposite } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { ReportDifference } from "./differences.ts";
import { nameStream } from "./stream-name.ts";
import { Done, Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Wait } from "./wait.ts";

/** Covers a process that is not scheduled for a while between its last byte and its close. */
const atOnceNs = 50e6;

export class Verdicts {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #report: ReportDifference;
  readonly #floods: boolean;

  /** `floods`: answers do not wait for their questions. */
  constructor(
    index: RecordingIndex,
    progress: Progress,
    report: ReportDifference,
    floods: boolean,
  ) {
    this.#floods = floods;
    this.#index = index;
    this.#progress = progress;
    this.#report = report;
  }

  /** The server accepted the connection. */
  accepted(connection: ConnectionNumber): void {
    this.#progress.mark(endOf(connection, Direction.toClient), Done.accepted);
    if (this.#index.connections.outcome(connection) !== "accepted")
      this.#reportConnection("accepted-instead", connection, Direction.toClient);
  }

  /** The server refused the connection. */
  refused(connection: ConnectionNumber): void {
    const end = endOf(connection, Direction.toClient);
    this.#progress.mark(end, Done.refused);
    if (this.#index.connections.outcome(connection) === "refused") return;
    this.#reportConnection("refused-instead", connection, Direction.toClient);
    this.#progress.play(end, Playing.not);
  }

  ended(connection: ConnectionNumber, direction: Direction): void {
    const end = endOf(connection, direction);
    if (this.#progress.has(end, Done.ended | Done.reset)) return;
    this.#progress.mark(end, Done.ended);
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#expectedBytes(connection, direction);
    const name = nameStream(this.#index, connection, direction);
    if (this.#hadNoTime(connection, direction)) return;
    if (offset < expectedBytes)
      this.#report({ kind: "early-end", ...name, offset, expectedBytes, ...this.#unitAt(end) });
    else if (!this.#mayEnd(connection, direction))
      this.#report({ kind: "unexpected-end", ...name, offset, expectedBytes });
  }

  reset(connection: ConnectionNumber, direction: Direction): void {
    const end = endOf(connection, direction);
    if (this.#progress.has(end, Done.reset)) return;
    const hadEnded = this.#progress.has(end, Done.ended);
    this.#progress.mark(end, Done.reset);
    this.#progress.play(end, Playing.not);
    this.#progress.takeLate(end);
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#expectedBytes(connection, direction);
    if (offset >= expectedBytes && this.#mayReset(connection, direction, hadEnded)) return;
    const name = nameStream(this.#index, connection, direction);
    const found = { ...name, offset, expectedBytes, ...this.#unitAt(end) };
    this.#report({ kind: "unexpected-reset", ...found });
  }

  /** The process did not do `event` in time. The replay stops waiting for it. */
  giveUp(event: EventNumber, wait: Wait): void {
    const connection = this.#index.connection(event);
    const direction = this.#index.direction(event);
    const end = endOf(connection, direction);
    this.#progress.noteGiveUp(end);
    switch (this.#index.kind(event)) {
      case RecordKind.connect:
        if (this.#progress.has(end, Done.opened)) this.#reportSilent(connection, direction, wait);
        else this.#reportConnection("missing-connection", connection, direction, wait);
        return this.#progress.expectLate(end, event);
      case RecordKind.accept:
      case RecordKind.refuse:
        this.#reportConnection("no-answer", connection, direction, wait);
        return this.#progress.expectLate(end, event);
      case RecordKind.data:
        return this.#giveUpBytes(event, wait);
      case RecordKind.end:
        this.#reportMissingEnd("missing-end", connection, direction, wait);
        return this.#progress.mark(end, Done.excusedEnd);
      case RecordKind.reset:
        this.#reportMissingEnd("missing-reset", connection, direction, wait);
        return this.#progress.mark(end, Done.excusedReset);
      default:
    }
  }

  /** The receiver of `event` does not take it. */
  stuck(event: EventNumber, wait: Wait): void {
    const connection = this.#index.connection(event);
    const receives = opposite(this.#index.direction(event));
    const offset = this.#progress.receivedBytes(endOf(connection, receives));
    const expectedBytes = this.#index.streamOffset(event) + this.#index.lengthBytes(event);
    const name = nameStream(this.#index, connection, receives);
    this.#report({ kind: "stuck", ...name, offset, expectedBytes, wait });
  }

  #giveUpBytes(event: EventNumber, wait: Wait): void {
    const connection = this.#index.connection(event);
    const direction = this.#index.direction(event);
    const end = endOf(connection, direction);
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#index.streamOffset(event) + this.#index.lengthBytes(event);
    if (offset < Math.min(expectedBytes, this.#progress.cuts.offset(connection, direction))) {
      const name = nameStream(this.#index, connection, direction);
      const found = { ...name, offset, expectedBytes, wait, ...this.#unitAt(end) };
      this.#report({ kind: "missing-bytes", ...found });
    }
    this.#progress.excuseBytes(end, expectedBytes);
    // The client of a connection asks first. Without a question it gets no answer.
    if (direction === Direction.toServer && !this.#progress.has(end, Done.spoke))
      this.#progress.mark(end, Done.silent);
  }

  /** In a protocol with units, the unit that the process had to send next. */
  #unitAt(end: EndId): { readonly unit?: string } {
    const unit = this.#progress.awaitedUnit(end);
    return unit === undefined ? {} : { unit };
  }

  /** The process opened a connection but sent nothing that identifies it. */
  #reportSilent(connection: ConnectionNumber, direction: Direction, wait: Wait): void {
    const expectedBytes = this.#index.connections.bytes(connection, direction);
    const name = nameStream(this.#index, connection, direction);
    this.#report({ kind: "missing-bytes", ...name, offset: 0, expectedBytes, wait });
  }

  /**
   * The bytes that the process sent in the recording until it was stopped or its peer cut it off.
   */
  #expectedBytes(connection: ConnectionNumber, direction: Direction): number {
    const container = this.#index.connections.sender(connection, direction);
    return Math.min(
      this.#bytesUntilStop(connection, direction, container),
      this.#progress.cuts.offset(connection, direction),
    );
  }

  /** Whether a process that has sent all its bytes may end its stream now. */
  #mayEnd(connection: ConnectionNumber, direction: Direction): boolean {
    return (
      this.#index.connections.hasEnd(connection, direction) ||
      this.#progress.cuts.isCut(connection, direction) ||
      this.#hasGotAll(connection, direction) ||
      this.#hasCutInTime(connection, direction) ||
      this.#resetAtOnce(connection, direction)
    );
  }

  /**
   * Whether the process closed the connection right after its last byte in the recording, so that
   * its kernel sent a RST only because the peer was quick. Now the peer's bytes are still on their
   * way, and its kernel sends a FIN.
   */
  #resetAtOnce(connection: ConnectionNumber, direction: Direction): boolean {
    const { connections, byConnection } = this.#index;
    let resetNs: number | undefined;
    for (let at = connections.to(connection) - 1; at >= connections.from(connection); at--) {
      const event = byConnection[at] as number;
      if (this.#index.direction(event) !== direction) continue;
      const kind = this.#index.kind(event);
      if (kind === RecordKind.reset) resetNs = this.#index.timeNs(event);
      else if (resetNs === undefined || kind !== RecordKind.data) return false;
      else return resetNs - this.#index.timeNs(event) < atOnceNs;
    }
    return false;
  }

  /**
   * Whether a process that has sent all its bytes may reset the connection now. If a process closes
   * while bytes are still on their way to it, its kernel resets the connection.
   */
  #mayReset(connection: ConnectionNumber, direction: Direction, hadEnded: boolean): boolean {
    if (this.#leftUnread(connection, direction) && this.#hasWaited(connection, direction))
      return true;
    if (!this.#hasGotAll(connection, direction)) return false;
    return (
      hadEnded ||
      this.#index.connections.hasReset(connection, direction) ||
      this.#progress.cuts.isCut(connection, direction)
    );
  }

  /**
   * Whether the process also cut the other direction off in the recording, and does so no earlier
   * now. Chance decides how much had reached its kernel by then, but the process had waited for
   * something.
   */
  #hasCutInTime(connection: ConnectionNumber, direction: Direction): boolean {
    const isCut = this.#progress.cuts.isCut(connection, opposite(direction));
    return isCut && this.#hasWaited(connection, direction);
  }

  /**
   * Whether the process may have left bytes unread in the recording: it reset the connection, or it
   * ended its stream and its peer sent more. When a process closes, its kernel sends a RST if
   * unread bytes are there, and a FIN if they are still on their way.
   */
  #leftUnread(connection: ConnectionNumber, direction: Direction): boolean {
    return (
      this.#index.connections.hasReset(connection, direction) ||
      this.#wasSentMoreAfterEnd(connection, direction)
    );
  }

  #wasSentMoreAfterEnd(connection: ConnectionNumber, direction: Direction): boolean {
    const { connections, byConnection } = this.#index;
    for (let at = connections.to(connection) - 1; at >= connections.from(connection); at--) {
      const event = byConnection[at] as number;
      const kind = this.#index.kind(event);
      const isOwn = this.#index.direction(event) === direction;
      if (isOwn && kind === RecordKind.end) return false;
      if (!isOwn && kind === RecordKind.data) return connections.hasEnd(connection, direction);
    }
    return false;
  }

  /**
   * Whether something has reached the process since it sent its last byte, judging by the
   * recording.
   */
  #hasWaited(connection: ConnectionNumber, direction: Direction): boolean {
    const received = this.#progress.receivedBytes(endOf(connection, direction));
    const lastByte = this.#index.connections.bytes(connection, direction) - 1;
    return received > this.#receivedBefore(connection, direction, lastByte);
  }

  /**
   * Whether a flood delivered all answers before the process asked. A process that has the answers
   * may end without asking: redis-cli drops commands that it has not written yet.
   */
  #hadNoTime(connection: ConnectionNumber, direction: Direction): boolean {
    if (!this.#floods || !this.#hasGotAll(connection, direction)) return false;
    const sent = this.#progress.sentBytes(endOf(connection, direction));
    const received = this.#progress.receivedBytes(endOf(connection, direction));
    return received > this.#receivedBefore(connection, direction, sent);
  }

  /**
   * How many bytes the process had received in the recording before it sent the byte at `offset`.
   */
  #receivedBefore(connection: ConnectionNumber, direction: Direction, offset: number): number {
    const { connections, byConnection } = this.#index;
    let received = 0;
    for (let at = connections.from(connection); at < connections.to(connection); at++) {
      const event = byConnection[at] as number;
      if (this.#index.kind(event) !== RecordKind.data) continue;
      const lengthBytes = this.#index.lengthBytes(event);
      if (this.#index.direction(event) !== direction) received += lengthBytes;
      else if (this.#index.streamOffset(event) + lengthBytes > offset) return received;
    }
    return 0;
  }

  /**
   * Whether everything that the sender of `direction` received in the recording, until it was
   * stopped, has been delivered to it.
   */
  #hasGotAll(connection: ConnectionNumber, direction: Direction): boolean {
    const container = this.#index.connections.sender(connection, direction);
    const received = this.#progress.receivedBytes(endOf(connection, direction));
    return received >= this.#bytesUntilStop(connection, opposite(direction), container);
  }

  /** How many bytes of `direction` the recording has before `container` was stopped. */
  #bytesUntilStop(
    connection: ConnectionNumber,
    direction: Direction,
    container: ContainerIndex,
  ): number {
    const { connections, byConnection } = this.#index;
    let bytes = connections.bytes(connection, direction);
    for (let at = connections.to(connection) - 1; at >= connections.from(connection); at--) {
      const event = byConnection[at] as number;
      if (!this.#index.wasStopped(container, event)) break;
      if (this.#index.direction(event) === direction) bytes -= this.#index.lengthBytes(event);
    }
    return bytes;
  }

  #reportConnection(
    kind: "missing-connection" | "no-answer" | "refused-instead" | "accepted-instead",
    connection: ConnectionNumber,
    direction: Direction,
    wait?: Wait,
  ): void {
    const name = nameStream(this.#index, connection, direction);
    this.#report({ kind, ...name, ...(wait && { wait }) });
  }

  #reportMissingEnd(
    kind: "missing-end" | "missing-reset",
    connection: ConnectionNumber,
    direction: Direction,
    wait: Wait,
  ): void {
    const offset = this.#progress.sentBytes(endOf(connection, direction));
    this.#report({ kind, ...nameStream(this.#index, connection, direction), offset, wait });
  }
}
