/**
 * What an event of a script asks for where a cursor stands before it: to be waited for, to be delivered,
 * both (between two live processes, in the global order), or nothing.
 */
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Cursor } from "./cursor.ts";
import type { Verdicts } from "../findings/verdicts.ts";
import type { Wait } from "../findings/wait.ts";
import type { Packets } from "./packets.ts";
import { Done, endOf, Playing, type Progress } from "../progress/progress.ts";
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

  /** For those of the `live` processes that are `mine`. */
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

  isMine(container: number): boolean {
    return this.#mine.has(container);
  }

  /** Whether `event` is part of what is played to `container`: that ends where its command was stopped. */
  isPlayedTo(container: number, event: number): boolean {
    return this.isMine(container) && !this.#index.wasStopped(container, event);
  }

  noteGone(container: number): void {
    this.#gone.add(container);
  }

  isGone(container: number): boolean {
    return this.#gone.has(container);
  }

  /** Whether the packet `event` is to reach the live process `container`; one to everyone reaches all but its sender. */
  getsPacket(container: number, event: number): boolean {
    const receiver = this.#index.receiver(event);
    if (receiver >= 0 ? receiver !== container : this.#index.sender(event) === container)
      return false;
    return this.isPlayedTo(container, event) && !this.isGone(container);
  }

  /** Whether `cursor` is to wait until a live process has done what `event` says. */
  mustWait(cursor: Cursor, event: number): boolean {
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

  /** Whether `event` is to happen to a live process. */
  mayDeliver(cursor: Cursor, event: number): boolean {
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

  /** Bytes do not wait in a flood, but behind an end or a reset a process may do nothing more. */
  mustSettle(cursor: Cursor, event: number): boolean {
    const kind = this.#index.kind(event);
    return cursor.pass === "deliver" && (kind === RecordKind.end || kind === RecordKind.reset);
  }

  /** Whether `event` is one that `cursor` waits for or delivers at all. */
  concerns(cursor: Cursor, event: number): boolean {
    if (this.#index.kind(event) === RecordKind.packet) return true;
    return (
      this.#plays(cursor, event, this.senderEnd(event), this.#index.sender(event)) ||
      this.#plays(cursor, event, this.receiverEnd(event), this.#index.receiver(event))
    );
  }

  /** Whether a connection cursor plays `event`, or has played it. */
  isPlayedApart(event: number): boolean {
    return (
      this.#isApart(this.senderEnd(event), this.#index.sender(event)) ||
      this.#isApart(this.receiverEnd(event), this.#index.receiver(event))
    );
  }

  /** What `event` says will not be waited for any longer. */
  giveUp(event: number, wait: Wait): void {
    if (this.#index.kind(event) === RecordKind.packet) this.packets.giveUp(this.#index.flow(event));
    // Its kernel refuses what comes when the processes are gone, as it did in the recording.
    else if (this.#isRefusal(event) && this.isGone(this.#index.sender(event)))
      this.#progress.mark(this.senderEnd(event), Done.refused);
    else this.#verdicts.giveUp(event, wait);
  }

  #isRefusal(event: number): boolean {
    return this.#index.kind(event) === RecordKind.refuse;
  }

  /** How often the like of what `event` says was given up before. */
  giveUps(event: number): number {
    if (this.#index.kind(event) === RecordKind.packet)
      return this.packets.giveUps(this.#index.flow(event));
    return this.#progress.giveUps(this.senderEnd(event));
  }

  /** Keeps the count of packets when `event` is behind. */
  pass(event: number): void {
    if (this.#index.kind(event) !== RecordKind.packet) return this.packets.passConnectionEvent();
    if (this.#live.has(this.#index.sender(event))) this.packets.pass(this.#index.flow(event));
  }

  senderEnd(event: number): number {
    return endOf(this.#index.connection(event), this.#index.direction(event));
  }

  receiverEnd(event: number): number {
    const isToServer = this.#index.direction(event) === Direction.toServer;
    return endOf(
      this.#index.connection(event),
      isToServer ? Direction.toClient : Direction.toServer,
    );
  }

  /** Without a connection nothing can be delivered, flood or not. */
  #isNeededToGoOn(event: number): boolean {
    const kind = this.#index.kind(event);
    return kind === RecordKind.connect || kind === RecordKind.accept || kind === RecordKind.refuse;
  }

  #isApart(end: number, container: number): boolean {
    return this.isMine(container) && this.#progress.playing(end) === Playing.apart;
  }

  #plays(cursor: Cursor, event: number, end: number, container: number): boolean {
    if (cursor.end !== -1 && cursor.end !== end) return false;
    const how = cursor.end === -1 ? Playing.inOrder : Playing.apart;
    return this.#progress.playing(end) === how && this.isPlayedTo(container, event);
  }
}
