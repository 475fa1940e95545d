/**
 * A process has its own clock: what its timers bring about happens at the same time after its start,
 * however early its peers' bytes arrive in a replay. So nothing that a process does is overdue before
 * its recorded time, counted from the process's start.
 *
 * Bytes that a process does not read are late only once the next thing that it did is overdue, because
 * kernels buffer slightly different amounts each time.
 *
 * A process that has departed from the recording loses this credit, so a replay takes at most the
 * recorded time and a few patiences.
 */
import { RecordKind } from "../../dump/format/schema.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class OwnClock {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #script: Uint32Array;
  /** Recorded times are divided by it. */
  readonly #speed: number;
  #startMs = 0;
  /** By container: the events that show that the process itself did something, in order. */
  readonly #deeds = new Map<number, Uint32Array>();

  /** For the processes whose events are in `script`. */
  constructor(index: RecordingIndex, progress: Progress, script: Uint32Array, speed: number) {
    this.#index = index;
    this.#progress = progress;
    this.#script = script;
    this.#speed = speed;
  }

  /** The processes start now. */
  start(nowMs: number): void {
    this.#startMs = nowMs;
  }

  /** Before this time its sender need not have done `event`. */
  doneMs(event: number): number {
    return this.#at(this.#index.sender(event), this.#index.timeNs(event));
  }

  /** Before this time its receiver need not have read `event`. */
  readMs(event: number): number {
    const receiver = this.#index.receiver(event);
    return this.#at(receiver, this.#nextDeedNs(receiver, event));
  }

  #at(container: number, timeNs: number): number {
    if (this.#progress.hasDeparted(container)) return -Infinity;
    return this.#startMs + timeNs / 1e6 / this.#speed;
  }

  /** When the process next did something after `event`. Its exit is the last thing that it does. */
  #nextDeedNs(container: number, event: number): number {
    const deeds = this.#deedsOf(container);
    let from = 0;
    let to = deeds.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((deeds[middle] as number) <= event) from = middle + 1;
      else to = middle;
    }
    const deed = deeds[from];
    return deed === undefined ? this.#index.lastedNs(container) : this.#index.timeNs(deed);
  }

  #deedsOf(container: number): Uint32Array {
    let deeds = this.#deeds.get(container);
    if (deeds === undefined) {
      deeds = this.#script.filter((event) => this.#isDeed(container, event));
      this.#deeds.set(container, deeds);
    }
    return deeds;
  }

  /** A kernel accepts and refuses connections for a process that sleeps. */
  #isDeed(container: number, event: number): boolean {
    const kind = this.#index.kind(event);
    if (kind === RecordKind.accept || kind === RecordKind.refuse) return false;
    return this.#index.sender(event) === container && !this.#index.wasStopped(container, event);
  }
}
