/**
 * Each process has its own clock: what its timers cause happens at the same time after its start,
 * however early the replay delivers its peers' bytes. So nothing that a process does is overdue
 * before its recorded time, counted from the process's start.
 *
 * Unread bytes are overdue only when the process's next recorded act is overdue, because kernels
 * buffer slightly different amounts each time.
 *
 * A process that has departed from the recording loses this credit. A replay therefore takes at
 * most the recorded time plus a few patiences.
 */
import type { ContainerIndex, EventNumber } from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export class OwnClock {
  readonly #index: RecordingIndex;
  readonly #progress: Progress;
  readonly #script: Uint32Array;
  /** Divides the recorded times. */
  readonly #speed: number;
  #startMs = 0;
  /** By container: the events that prove that the process itself acted, in order. */
  readonly #deeds = new Map<number, Uint32Array>();

  /** `script` holds the events of the processes. */
  constructor(index: RecordingIndex, progress: Progress, script: Uint32Array, speed: number) {
    this.#index = index;
    this.#progress = progress;
    this.#script = script;
    this.#speed = speed;
  }

  /** Records that the processes start now. */
  start(nowMs: number): void {
    this.#startMs = nowMs;
  }

  /** The sender of `event` is not late before this time. */
  doneMs(event: EventNumber): number {
    return this.#at(this.#index.sender(event), this.#index.timeNs(event));
  }

  /** The receiver of `event` is not late in reading it before this time. */
  readMs(event: EventNumber): number {
    const receiver = this.#index.receiver(event);
    return this.#at(receiver, this.#nextDeedNs(receiver, event));
  }

  /** Whether the sender of `event` has departed from the recording. */
  isLost(event: EventNumber): boolean {
    return this.#progress.hasDeparted(this.#index.sender(event));
  }

  #at(container: ContainerIndex, timeNs: number): number {
    if (this.#progress.hasDeparted(container)) return -Infinity;
    return this.#startMs + timeNs / 1e6 / this.#speed;
  }

  /** The recorded time of the process's next act after `event`. Its last act is its exit. */
  #nextDeedNs(container: ContainerIndex, event: EventNumber): number {
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

  #deedsOf(container: ContainerIndex): Uint32Array {
    let deeds = this.#deeds.get(container);
    if (deeds === undefined) {
      deeds = this.#script.filter((event) => this.#isDeed(container, event));
      this.#deeds.set(container, deeds);
    }
    return deeds;
  }

  /** Excludes accepting and refusing, which a kernel does even while the process sleeps. */
  #isDeed(container: ContainerIndex, event: EventNumber): boolean {
    const kind = this.#index.kind(event);
    if (kind === RecordKind.accept || kind === RecordKind.refuse) return false;
    return this.#index.sender(event) === container && !this.#index.wasStopped(container, event);
  }
}
