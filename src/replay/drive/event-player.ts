/**
 * Lets recorded events happen to live processes: the action for each kind of event, and what holds
 * it back when its turn has come.
 */
import type { EventNumber } from "../../base/ids.ts";
import { unreachable } from "../../base/assert.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Admission } from "./admission.ts";
import type { DatagramPace } from "./datagram-pace.ts";
import type { Dialer } from "./dialer.ts";
import type { LiveEnd } from "./live-end.ts";
import type { LiveEnds } from "./live-ends.ts";
import type { PacketPlayer } from "./packet-player.ts";
import type { ReadBarrier } from "./read-barrier.ts";
import type { Delivery, Performer, ScheduleRunner } from "./schedule-runner.ts";
import type { StartHold } from "./start-hold.ts";

export interface EventPlayerParts {
  readonly index: RecordingIndex;
  /** The containers whose processes run. */
  readonly live: ReadonlySet<number>;
  readonly ends: LiveEnds;
  readonly admission: Admission;
  readonly dialer: Dialer;
  readonly packets: PacketPlayer;
  /** Absent if the replay does not order events across connections. */
  readonly readBarrier: ReadBarrier | undefined;
  /** Absent under `flood`. */
  readonly startHold: StartHold | undefined;
  readonly datagramPace: DatagramPace;
  readonly onConnection: () => void;
  /** Called just before `event` happens to its receiver. */
  readonly onDelivery: (event: EventNumber) => void;
}

const delivered: Delivery = { type: "delivered" };

export class EventPlayer implements Performer {
  readonly #parts: EventPlayerParts;

  constructor(parts: EventPlayerParts) {
    this.#parts = parts;
  }

  deliver(runner: ScheduleRunner, event: EventNumber): Delivery {
    const beforeMs = this.#holdMs(event);
    if (beforeMs > 0) return { type: "held", forMs: beforeMs };
    const live = this.#parts.ends.receiverOf(runner, event);
    const forMs = this.#receiverHoldMs(event, live);
    if (forMs > 0) return { type: "held", forMs };
    this.#perform(runner, event, live);
    return delivered;
  }

  isAstray(runner: ScheduleRunner, event: EventNumber): boolean {
    return this.#parts.ends.isAstray(runner, event);
  }

  hasHeld(runner: ScheduleRunner): boolean {
    return this.#parts.ends.hasHeld(runner);
  }

  settle(runner: ScheduleRunner): void {
    this.#parts.ends.settle(runner);
    runner.moved();
  }

  #holdMs(event: EventNumber): number {
    const { index, live, startHold, datagramPace } = this.#parts;
    const kind = index.kind(event);
    if (kind === RecordKind.connect) return startHold?.holdMs(event) ?? 0;
    const isPlayedPacket = kind === RecordKind.packet && !live.has(index.sender(event));
    return isPlayedPacket ? datagramPace.holdMs(event) : 0;
  }

  #receiverHoldMs(event: EventNumber, live: LiveEnd | undefined): number {
    const { index, readBarrier } = this.#parts;
    const isReset = index.kind(event) === RecordKind.reset;
    const resetMs = isReset ? (live?.askForReset() ?? 0) : 0;
    return resetMs || (readBarrier?.holdMs(event, live) ?? 0);
  }

  #perform(runner: ScheduleRunner, event: EventNumber, live: LiveEnd | undefined): void {
    const { index, admission, dialer, packets, onConnection, onDelivery } = this.#parts;
    const kind = index.kind(event);
    onDelivery(event);
    switch (kind) {
      case RecordKind.packet:
        return packets.deliver(runner, event);
      case RecordKind.connect:
        onConnection();
        return dialer.dial(runner, event);
      case RecordKind.accept:
        return admission.accept(runner, event);
      case RecordKind.refuse:
        return admission.refuse(runner, event);
      case RecordKind.data:
      case RecordKind.end:
      case RecordKind.reset:
        return this.#sendTo(runner, event, kind, live);
      default:
        return unreachable(kind);
    }
  }

  /** Delivers an event on an accepted connection. It has no effect if the connection is gone. */
  #sendTo(
    runner: ScheduleRunner,
    event: EventNumber,
    kind: (typeof RecordKind)["data" | "end" | "reset"],
    live: LiveEnd | undefined,
  ): void {
    const { index, readBarrier } = this.#parts;
    if (!live) return runner.schedule.noteDelivered(event);
    readBarrier?.noteSent(index.receiver(event), live);
    if (kind === RecordKind.data) live.sendData(event);
    else if (kind === RecordKind.end) live.sendEnd(event);
    else live.sendReset(event);
  }
}
