/**
 * Decides what a cursor must do at an event: wait for a live process, deliver, both, or neither.
 * Both occur between two live processes in the global order.
 */
import {
  type ContainerIndex,
  type EndId,
  endOf,
  type EventNumber,
  everyone,
  noEnd,
  peerOf,
} from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Cursor } from "./cursor.ts";
import type { Verdicts } from "../findings/verdicts.ts";
import type { Wait } from "../findings/wait.ts";
import type { Packets } from "./packets.ts";
import { Done, Playing, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { LiveSet } from "./script.ts";

export class Gate {
  readonly packets: Packets;
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #verdicts: Verdicts;
  readonly #live: LiveSet;
  readonly #mine: ReadonlySet<number>;
  readonly #floods: boolean;
  readonly #gone = new Set<number>();

  /** `mine` are those of the `live` processes that the schedule plays to. */
  constructor(
    parts: { index: RecordingIndex; progress: Progress; verdicts: Verdicts; packets: Packets },
    live: LiveSet,
    mine: ReadonlySet<number>,
    floods: boolean,
  ) {
    this.#index = parts.index;
    this.#progress = parts.progress;
    this.#verdicts = parts.verdicts;
    this.packets = parts.packets;
    this.#live = live;
    this.#mine = mine;
    this.#floods = floods;
  }

  isMine(container: ContainerIndex): boolean {
    return this.#mine.has(container);
  }

  /**
   * Whether `event` is played to `container`. Nothing is, once the recording stopped its command.
   */
  isPlayedTo(container: ContainerIndex, event: EventNumber): boolean {
    return this.isMine(container) && !this.#index.wasStopped(container, event);
  }

  noteGone(container: ContainerIndex): void {
    this.#gone.add(container);
  }

  isGone(container: ContainerIndex): boolean {
    return this.#gone.has(container);
  }

  /**
   * Whether the packet `event` reaches the live process `container`. A broadcast reaches everyone
   * but its sender.
   */
  getsPacket(container: ContainerIndex, event: EventNumber): boolean {
    const receiver = this.#index.receiver(event);
    const isElsewhere =
      receiver === everyone ? this.#index.sender(event) === container : receiver !== container;
    if (isElsewhere) return false;
    return this.isPlayedTo(container, event) && !this.isGone(container);
  }

  /** Whether a process of this schedule asked for something. Its kernel may end a connection. */
  isDeed(event: EventNumber): boolean {
    const kind = this.#index.kind(event);
    const isAsked = kind === RecordKind.connect || kind === RecordKind.data;
    return isAsked && this.isMine(this.#index.sender(event));
  }

  /** Whether `cursor` must wait until a live process has caused `event`. */
  mustWait(cursor: Cursor, event: EventNumber): boolean {
    if (cursor.pass === "deliver" && !this.#isNeededToGoOn(event)) return false;
    const sender = this.#index.sender(event);
    if (this.#index.kind(event) === RecordKind.packet) {
      if (this.#floods || !this.#live.has(sender)) return false;
      const isSettled = this.packets.isSettled(this.#index.flow(event));
      return !isSettled && !this.#index.wasStopped(sender, event);
    }
    return (
      this.#plays(cursor, event, this.senderEnd(event), sender) &&
      !this.#progress.isSettled(this.#index, event)
    );
  }

  /** Whether `event` is to be delivered to a live process. */
  mayDeliver(cursor: Cursor, event: EventNumber): boolean {
    if (cursor.isRepeating) return false;
    if (this.#index.kind(event) === RecordKind.packet) {
      const sender = this.#index.sender(event);
      const isThere = !this.#live.has(sender) || this.packets.isHeld(this.#index.flow(event));
      return isThere && [...this.#mine].some((container) => this.getsPacket(container, event));
    }
    const receiver = this.#index.receiver(event);
    const end = this.receiverEnd(event);
    if (this.isGone(receiver) || this.#progress.has(end, Done.silent)) return false;
    return this.#plays(cursor, event, end, receiver);
  }

  /**
   * Under `flood`, bytes do not wait. A FIN or RST does, because a process may do nothing after it.
   */
  mustSettle(cursor: Cursor, event: EventNumber): boolean {
    const kind = this.#index.kind(event);
    return cursor.pass === "deliver" && (kind === RecordKind.end || kind === RecordKind.reset);
  }

  /** Whether `cursor` waits for `event` or delivers it at all. */
  concerns(cursor: Cursor, event: EventNumber): boolean {
    if (this.#index.kind(event) === RecordKind.packet) return true;
    return (
      this.#plays(cursor, event, this.senderEnd(event), this.#index.sender(event)) ||
      this.#plays(cursor, event, this.receiverEnd(event), this.#index.receiver(event))
    );
  }

  /** Whether a connection's own cursor plays `event`, or has played it. */
  isPlayedApart(event: EventNumber): boolean {
    return (
      this.#isApart(this.senderEnd(event), this.#index.sender(event)) ||
      this.#isApart(this.receiverEnd(event), this.#index.receiver(event))
    );
  }

  /** Stops waiting for `event`. */
  giveUp(event: EventNumber, wait: Wait): void {
    if (this.#index.kind(event) === RecordKind.packet) this.packets.giveUp(this.#index.flow(event));
    // The process is gone, so its kernel refuses the connection, as it did in the recording.
    else if (this.#isRefusal(event) && this.isGone(this.#index.sender(event)))
      this.#progress.mark(this.senderEnd(event), Done.refused);
    else this.#verdicts.giveUp(event, wait);
  }

  #isRefusal(event: EventNumber): boolean {
    return this.#index.kind(event) === RecordKind.refuse;
  }

  /** How many similar events were given up before. */
  giveUps(event: EventNumber): number {
    if (this.#index.kind(event) === RecordKind.packet)
      return this.packets.giveUps(this.#index.flow(event));
    return this.#progress.giveUps(this.senderEnd(event));
  }

  /** Updates the packet counts when the main cursor passes `event`. */
  pass(event: EventNumber): void {
    if (this.#index.kind(event) !== RecordKind.packet) return this.packets.passConnectionEvent();
    if (this.#live.has(this.#index.sender(event))) this.packets.pass(this.#index.flow(event));
  }

  senderEnd(event: EventNumber): EndId {
    return endOf(this.#index.connection(event), this.#index.direction(event));
  }

  receiverEnd(event: EventNumber): EndId {
    return peerOf(this.senderEnd(event));
  }

  /** Even under `flood`, nothing can be delivered before the connection exists. */
  #isNeededToGoOn(event: EventNumber): boolean {
    const kind = this.#index.kind(event);
    return kind === RecordKind.connect || kind === RecordKind.accept || kind === RecordKind.refuse;
  }

  #isApart(end: EndId, container: ContainerIndex): boolean {
    return this.isMine(container) && this.#progress.playing(end) === Playing.apart;
  }

  #plays(cursor: Cursor, event: EventNumber, end: EndId, container: ContainerIndex): boolean {
    if (cursor.end !== noEnd && cursor.end !== end) return false;
    const how = cursor.end === noEnd ? Playing.inOrder : Playing.apart;
    return this.#progress.playing(end) === how && this.isPlayedTo(container, event);
  }
}
