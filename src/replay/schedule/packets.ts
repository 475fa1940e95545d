/**
 * Packets that are not TCP, as they are awaited and held back. They are counted flow by flow, not compared,
 * because packets may get lost, and a process may well send others than it did.
 *
 * What a live process sends to a container that is played is awaited: a played answer waits for as many
 * as there had been before it. Between two live processes they pass as they are, but not out of order
 * with TCP, which is played: what settled by TCP that a datagram may come must have happened to the
 * receiver first (so it is held back), and what came by TCP after it waits for it (so it is awaited by
 * the receiver's schedule, too). Among each other such packets are not ordered: protocols over UDP expect
 * none, and would be held up by what is different each time.
 */
import { RecordKind } from "../../dump/format/schema.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { LiveSet } from "./script.ts";

/** As many as a device's queue takes; what comes on top of that passes out of order. */
const mostHeld = 4096;

/** Those of one flow. */
interface Count {
  sent: number;
  passed: number;
  giveUps: number;
  /** One was given up, and none has come since: the next ones are not waited for. */
  isLost: boolean;
  /** How many came too early and wait in the driver. */
  held: number;
  /** Each recorded one between live processes, and how many events of connections stand before it. */
  readonly after: { readonly event: number; readonly connectionEvents: number }[];
}

export class Packets {
  readonly #counts = new Map<number, Count>();
  /** How many events of connections are behind. */
  #passedEvents = 0;

  /** For the script of one live process, or of all. */
  constructor(index: RecordingIndex, live: LiveSet, script: Uint32Array) {
    let events = 0;
    for (const event of script) {
      if (index.kind(event) !== RecordKind.packet) events++;
      else {
        const [sender, receiver] = [index.sender(event), index.receiver(event)];
        if (live.has(sender) && (receiver < 0 || live.has(receiver)))
          this.#count(index.flow(event)).after.push({ event, connectionEvents: events });
      }
    }
  }

  /** A live process sent one. */
  note(flow: number): void {
    const count = this.#count(flow);
    count.sent++;
    count.isLost = false;
  }

  /**
   * Holds the one that was noted last back, if it came too early. Whether it did. `isBlocked` says
   * whether a recorded packet has to wait even though all events of connections before it are behind.
   */
  hold(flow: number, isBlocked: (event: number) => boolean): boolean {
    const count = this.#count(flow);
    const which = count.sent - 1;
    // One that the recording does not have would wait for nothing.
    if (which >= count.after.length || count.held >= mostHeld) return false;
    const { event } = count.after[which] as Count["after"][number];
    if (count.held === 0 && !this.#isEarly(count, which) && !isBlocked(event)) return false;
    count.held++;
    return true;
  }

  /** Whether one is held back that is no longer too early. */
  isHeld(flow: number): boolean {
    const count = this.#count(flow);
    return count.held > 0 && !this.#isEarly(count, count.sent - count.held);
  }

  /** Gives out the first of those that are held back, if it is no longer too early. Whether it is not. */
  release(flow: number): boolean {
    if (!this.isHeld(flow)) return false;
    this.#count(flow).held--;
    return true;
  }

  /** Whether the next recorded one was sent, or is not waited for. */
  isSettled(flow: number): boolean {
    const { sent, passed, isLost } = this.#count(flow);
    return sent > passed || isLost;
  }

  /** The recording's next one is behind. */
  pass(flow: number): void {
    const count = this.#count(flow);
    count.passed++;
    // One that is not waited for counts as sent, so that those after it are counted right.
    count.sent = Math.max(count.sent, count.passed);
  }

  /** An event of a connection is behind. */
  passConnectionEvent(): void {
    this.#passedEvents++;
  }

  /** It is not waited for any longer. */
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
