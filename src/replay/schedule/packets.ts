/**
 * Counts non-TCP packets, flow by flow, to decide which to await and which to hold back. It does
 * not compare them: packets get lost, and a process may well send different ones in each run.
 *
 * A cursor awaits the packets that a live process sends to a played container. A played answer
 * waits until as many have come as preceded it in the recording.
 *
 * Packets between two live processes pass unchanged, but stay ordered with TCP, which is played. A
 * datagram that needs earlier TCP events is held back until they have happened to its receiver. TCP
 * events that followed a datagram wait for it, so the receiver's schedule awaits it, too. Such
 * packets are not ordered among each other: UDP protocols expect no order, and small differences
 * between runs would hold them up.
 */
import { type EventNumber, everyone } from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { LiveSet } from "./script.ts";

/** A device's queue takes as many. Packets beyond that pass out of order. */
const mostHeld = 4096;

/** The packets of one flow. */
interface Count {
  sent: number;
  passed: number;
  giveUps: number;
  /** One packet was given up and none has come since, so no cursor waits for the next ones. */
  isLost: boolean;
  /** The number of packets that came too early and wait in the driver. */
  held: number;
  /**
   * Recorded packets between live processes, each with the number of connection events before it.
   */
  readonly after: { readonly event: EventNumber; readonly connectionEvents: number }[];
}

export class Packets {
  readonly #counts = new Map<number, Count>();
  /** The number of connection events that the main cursor has passed. */
  #passedEvents = 0;

  /** `script` is that of one live process, or of all. */
  constructor(index: RecordingIndex, live: LiveSet, script: Uint32Array) {
    let events = 0;
    for (const event of script) {
      if (index.kind(event) !== RecordKind.packet) events++;
      else {
        const [sender, receiver] = [index.sender(event), index.receiver(event)];
        if (live.has(sender) && (receiver === everyone || live.has(receiver)))
          this.#count(index.flow(event)).after.push({ event, connectionEvents: events });
      }
    }
  }

  /** A live process sent a packet. */
  note(flow: number): void {
    const count = this.#count(flow);
    count.sent++;
    count.isLost = false;
  }

  /**
   * Holds back the last noted packet if it came too early, and returns whether it did. `isBlocked`
   * reports whether a recorded packet must wait although the main cursor passed all connection
   * events before it.
   */
  hold(flow: number, isBlocked: (event: EventNumber) => boolean): boolean {
    const count = this.#count(flow);
    const which = count.sent - 1;
    // A packet that the recording does not have has nothing to wait for.
    if (which >= count.after.length || count.held >= mostHeld) return false;
    const { event } = count.after[which] as Count["after"][number];
    if (count.held === 0 && !this.#isEarly(count, which) && !isBlocked(event)) return false;
    count.held++;
    return true;
  }

  /** Whether a held packet is no longer too early. */
  isHeld(flow: number): boolean {
    const count = this.#count(flow);
    return count.held > 0 && !this.#isEarly(count, count.sent - count.held);
  }

  /** Releases the first held packet if it is no longer too early. Returns whether it did. */
  release(flow: number): boolean {
    if (!this.isHeld(flow)) return false;
    this.#count(flow).held--;
    return true;
  }

  /** Whether the next recorded packet was sent, or nobody waits for it. */
  isSettled(flow: number): boolean {
    const { sent, passed, isLost } = this.#count(flow);
    return sent > passed || isLost;
  }

  /** The main cursor passes the next recorded packet. */
  pass(flow: number): void {
    const count = this.#count(flow);
    count.passed++;
    // A packet that nobody waits for counts as sent, which keeps later counts right.
    count.sent = Math.max(count.sent, count.passed);
  }

  /** The main cursor passes an event of a connection. */
  passConnectionEvent(): void {
    this.#passedEvents++;
  }

  /** Stops waiting for the flow's next packet. */
  giveUp(flow: number): void {
    const count = this.#count(flow);
    count.isLost = true;
    count.giveUps++;
  }

  giveUps(flow: number): number {
    return this.#count(flow).giveUps;
  }

  #isEarly({ after }: Count, which: number): boolean {
    return (after[which]?.connectionEvents ?? 0) > this.#passedEvents;
  }

  #count(flow: number): Count {
    const known = this.#counts.get(flow);
    if (known) return known;
    const count = { sent: 0, passed: 0, giveUps: 0, isLost: false, held: 0, after: [] };
    this.#counts.set(flow, count);
    return count;
  }
}
