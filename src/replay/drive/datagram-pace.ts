/**
 * Paces played datagrams. A receiver's socket holds a few hundred kilobytes, and its kernel drops
 * datagrams beyond that. The recording shows that the receiver keeps up with the recorded pace. So
 * the replay leaves at least the recorded gap between two datagrams, unless it finds the socket
 * empty.
 *
 * A datagram is lost if it comes before its receiver has bound the port. The recording shows that
 * the receiver had bound it in time. So the first datagram to each port waits for that, as long as
 * the receiver's own clock and the patience allow. After one wait in vain, the replay no longer
 * waits for that receiver.
 */
import { type ContainerIndex, type EventNumber, everyone } from "../../base/ids.ts";
import type { Family, Port } from "../../base/units.ts";
import { IPPROTO_UDP } from "../../net/packet.ts";
import type { Flow } from "../../recording/flows.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How often to check whether a socket is empty, and whether it is bound. */
const lookMs = { empty: 0.2, bound: 5 } as const;

export interface DatagramPaceParts {
  readonly clock: { readonly nowMs: number };
  readonly index: RecordingIndex;
  /** Divides the recorded gaps. */
  readonly speed: number;
  /**
   * How many bytes wait in the container's socket for datagrams of this flow; undefined if unknown.
   */
  readonly queuedBytes: (flow: DatagramFlow) => number | undefined;
  readonly patienceMs: number;
  /** Whether the container has a socket for datagrams of this flow; undefined if unknown. */
  readonly isBound: (flow: DatagramFlow) => boolean | undefined;
}

/** A UDP flow to a container. */
export interface DatagramFlow {
  readonly family: Family;
  readonly sender: ContainerIndex;
  readonly sourcePort: Port;
  readonly receiver: ContainerIndex;
  readonly destinationPort: Port;
}

interface Played {
  readonly atMs: number;
  readonly recordedNs: number;
}

export class DatagramPace {
  readonly #parts: DatagramPaceParts;
  /** The last datagram to each socket, by container, family and port. */
  readonly #last = new Map<string, Played>();
  /** Containers whose sockets the replay no longer waits for. */
  readonly #unwaited = new Set<number>();
  readonly #startedMs: number;

  constructor(parts: DatagramPaceParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.nowMs;
  }

  /** No process is left in the container that could bind a port. */
  noteGone(container: ContainerIndex): void {
    this.#unwaited.add(container);
  }

  /**
   * How long to hold back the recorded packet `event` before asking again, in milliseconds. 0
   * releases it.
   */
  holdMs(event: EventNumber): number {
    const { clock, index, speed } = this.#parts;
    const recorded = index.flows[index.flow(event)] as Flow;
    if (recorded.protocol !== IPPROTO_UDP || recorded.receiver === everyone) return 0;
    const flow = datagramFlow(recorded);
    const socket = `${flow.receiver} ${flow.family} ${flow.destinationPort}`;
    const last = this.#last.get(socket);
    const recordedNs = index.timeNs(event);
    if (last !== undefined) {
      const dueMs = last.atMs + Math.max(0, recordedNs - last.recordedNs) / 1e6 / speed;
      const isDue = clock.nowMs >= dueMs || this.#parts.queuedBytes(flow) === 0;
      if (!isDue) return Math.min(lookMs.empty, dueMs - clock.nowMs);
    } else if (this.#isAwaited(flow, recordedNs)) return lookMs.bound;
    this.#last.set(socket, { atMs: clock.nowMs, recordedNs });
    return 0;
  }

  /** Whether the receiver may still bind the port of its first datagram. */
  #isAwaited(flow: DatagramFlow, recordedNs: number): boolean {
    const { clock, speed, patienceMs, isBound } = this.#parts;
    if (this.#unwaited.has(flow.receiver) || isBound(flow) !== false) return false;
    const untilMs = this.#startedMs + recordedNs / 1e6 / speed + patienceMs;
    if (clock.nowMs < untilMs) return true;
    this.#unwaited.add(flow.receiver);
    return false;
  }
}

function datagramFlow({ sourcePort, destinationPort, ...flow }: Flow): DatagramFlow {
  const { family, sender, receiver } = flow;
  return {
    family,
    sender,
    receiver,
    sourcePort: sourcePort as Port,
    destinationPort: destinationPort as Port,
  };
}
