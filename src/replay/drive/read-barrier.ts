/**
 * Holds a delivery back briefly where sending in order is not enough.
 *
 * A process that slept finds bytes on two connections and may read either first. A RST may overtake
 * the bytes before it. So the replay turns to another connection, or resets one, only after the
 * process has read what it was sent last. The kernel reports that. read-limits.ts limits the wait.
 */
import type { ContainerIndex, EventNumber } from "../../base/ids.ts";
import { RecordKind } from "../../dump/format/schema.ts";
import type { Reactor } from "../../sys/reactor.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { ReadLimits } from "./read-limits.ts";
import type { LiveSide, ContainerSockets } from "./container-sockets.ts";

/**
 * The barrier first looks again at once, because most processes read within microseconds. After
 * this time it looks at an interval.
 */
const eagerMs = 0.3;
const lookMs = 1;

/** The last bytes that a process was sent. */
interface Sent {
  readonly end: PacedEnd;
  readonly atMs: number;
  /** Whether the barrier has waited for them in vain. */
  isGivenUp: boolean;
}

/** The properties of a live connection that the barrier needs. */
export interface PacedEnd extends LiveSide {
  readonly isClosed: boolean;
}

export class ReadBarrier {
  readonly #reactor: Reactor;
  readonly #index: RecordingIndex;
  readonly #sockets: ContainerSockets;
  /** By container. */
  readonly #last = new Map<number, Sent>();
  readonly #limits = new ReadLimits<PacedEnd>(
    ({ wire, direction }) => `${wire.client} ${wire.server} ${wire.serverPort} ${direction}`,
  );

  constructor(parts: {
    readonly reactor: Reactor;
    readonly index: RecordingIndex;
    readonly sockets: ContainerSockets;
  }) {
    this.#reactor = parts.reactor;
    this.#index = parts.index;
    this.#sockets = parts.sockets;
  }

  /** How long to hold `event` back before asking again, in milliseconds. 0 releases it. */
  holdMs(event: EventNumber, end: PacedEnd | undefined): number {
    const last = this.#last.get(this.#index.receiver(event));
    const isReset = this.#index.kind(event) === RecordKind.reset;
    if (!last || last.end.isClosed || (last.end === end && !isReset)) return 0;
    return last.isGivenUp ? 0 : this.#readHoldMs(last);
  }

  /** Bytes were sent to a process on this connection. */
  noteSent(container: ContainerIndex, end: PacedEnd): void {
    this.#last.set(container, { end, atMs: this.#reactor.nowMs, isGivenUp: false });
  }

  #readHoldMs(last: Sent): number {
    const { end, atMs } = last;
    const sinceMs = this.#reactor.nowMs - atMs;
    if (this.#sockets.unreadBytes(end) === 0) this.#limits.noteRead(end);
    else if (sinceMs < this.#limits.limitMs(end))
      return sinceMs < eagerMs ? Number.MIN_VALUE : lookMs;
    else {
      last.isGivenUp = true;
      this.#limits.noteUnread(end);
    }
    return 0;
  }
}
