/**
 * Says what is a difference, of all that happens to connections besides their bytes, and keeps the
 * progress. It decides nothing about when.
 */
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import { nameStream, type ReportDifference } from "./differences.ts";
import { Done, endOf, Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class Verdicts {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #report: ReportDifference;

  constructor(index: RecordingIndex, progress: Progress, report: ReportDifference) {
    this.#index = index;
    this.#progress = progress;
    this.#report = report;
  }

  /** The server accepted the connection. */
  accepted(connection: number): void {
    this.#progress.mark(endOf(connection, Direction.toClient), Done.accepted);
    if (this.#index.connections.outcome(connection) !== "accepted")
      this.#tell("accepted-instead", connection, Direction.toClient);
  }

  /** The server refused the connection. */
  refused(connection: number): void {
    const end = endOf(connection, Direction.toClient);
    this.#progress.mark(end, Done.refused);
    if (this.#index.connections.outcome(connection) === "refused") return;
    this.#tell("refused-instead", connection, Direction.toClient);
    this.#progress.play(end, Playing.not);
  }

  ended(connection: number, direction: Direction): void {
    const end = endOf(connection, direction);
    if (this.#progress.has(end, Done.ended | Done.reset)) return;
    this.#progress.mark(end, Done.ended);
    const { connections } = this.#index;
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#expectedBytes(connection, direction);
    const name = nameStream(this.#index, connection, direction);
    if (offset < expectedBytes) this.#report({ kind: "early-end", ...name, offset, expectedBytes });
    else if (!connections.hasEnd(connection, direction) && !this.#hasGotAll(connection, direction))
      this.#report({ kind: "unexpected-end", ...name, offset, expectedBytes });
  }

  reset(connection: number, direction: Direction): void {
    const end = endOf(connection, direction);
    if (this.#progress.has(end, Done.reset)) return;
    const hadEnded = this.#progress.has(end, Done.ended);
    this.#progress.mark(end, Done.reset);
    this.#progress.play(end, Playing.not);
    this.#progress.takeLate(end);
    const { connections } = this.#index;
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#expectedBytes(connection, direction);
    const hasDoneAll = offset >= expectedBytes && this.#hasGotAll(connection, direction);
    // A process that closes while something is still on its way to it resets: that is the kernel's doing.
    if (hasDoneAll && (hadEnded || connections.hasReset(connection, direction))) return;
    const name = nameStream(this.#index, connection, direction);
    this.#report({ kind: "unexpected-reset", ...name, offset, expectedBytes });
  }

  /** What `event` says was not done by its process in good time. It is not waited for again. */
  giveUp(event: number): void {
    const connection = this.#index.connection(event);
    const direction = this.#index.direction(event);
    const end = endOf(connection, direction);
    this.#progress.noteGiveUp(end);
    switch (this.#index.kind(event)) {
      case RecordKind.connect:
        this.#tell("missing-connection", connection, direction);
        return this.#progress.expectLate(end, event);
      case RecordKind.accept:
      case RecordKind.refuse:
        this.#tell("no-answer", connection, direction);
        return this.#progress.expectLate(end, event);
      case RecordKind.data:
        return this.#giveUpBytes(event);
      case RecordKind.end:
        this.#tellMissing("missing-end", connection, direction);
        return this.#progress.mark(end, Done.excusedEnd);
      case RecordKind.reset:
        this.#tellMissing("missing-reset", connection, direction);
        return this.#progress.mark(end, Done.excusedReset);
      default:
    }
  }

  /** The receiver of `event` does not take it. */
  stuck(event: number): void {
    const connection = this.#index.connection(event);
    const receives =
      this.#index.direction(event) === Direction.toServer ? Direction.toClient : Direction.toServer;
    const offset = this.#progress.receivedBytes(endOf(connection, receives));
    const expectedBytes = this.#index.streamOffset(event) + this.#index.lengthBytes(event);
    const name = nameStream(this.#index, connection, receives);
    this.#report({ kind: "stuck", ...name, offset, expectedBytes });
  }

  #giveUpBytes(event: number): void {
    const connection = this.#index.connection(event);
    const direction = this.#index.direction(event);
    const end = endOf(connection, direction);
    const offset = this.#progress.sentBytes(end);
    const expectedBytes = this.#index.streamOffset(event) + this.#index.lengthBytes(event);
    const name = nameStream(this.#index, connection, direction);
    this.#report({ kind: "missing-bytes", ...name, offset, expectedBytes });
    this.#progress.excuseBytes(end, expectedBytes);
  }

  /** What it sent in the recording until it was stopped. */
  #expectedBytes(connection: number, direction: Direction): number {
    const container = this.#index.connections.endOf(connection, direction);
    return this.#bytesUntilStop(connection, direction, container);
  }

  /** Whether all that was sent to the sender of `direction`, until it was stopped, was delivered to it. */
  #hasGotAll(connection: number, direction: Direction): boolean {
    const other = direction === Direction.toServer ? Direction.toClient : Direction.toServer;
    const container = this.#index.connections.endOf(connection, direction);
    const received = this.#progress.receivedBytes(endOf(connection, direction));
    return received >= this.#bytesUntilStop(connection, other, container);
  }

  /** How many bytes of `direction` there are before `container` was stopped. */
  #bytesUntilStop(connection: number, direction: Direction, container: number): number {
    const { connections, byConnection } = this.#index;
    let bytes = connections.bytes(connection, direction);
    for (let at = connections.to(connection) - 1; at >= connections.from(connection); at--) {
      const event = byConnection[at] as number;
      if (!this.#index.wasStopped(container, event)) break;
      if (this.#index.direction(event) === direction) bytes -= this.#index.lengthBytes(event);
    }
    return bytes;
  }

  #tell(
    kind: "missing-connection" | "no-answer" | "refused-instead" | "accepted-instead",
    connection: number,
    direction: Direction,
  ): void {
    this.#report({ kind, ...nameStream(this.#index, connection, direction) });
  }

  #tellMissing(
    kind: "missing-end" | "missing-reset",
    connection: number,
    direction: Direction,
  ): void {
    const offset = this.#progress.sentBytes(endOf(connection, direction));
    this.#report({ kind, ...nameStream(this.#index, connection, direction), offset });
  }
}
