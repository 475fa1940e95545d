/**
 * Paces played datagrams. A receiver's socket holds a few hundred kilobytes, and its kernel drops what
 * comes on top of that. The recording shows that the receiver keeps up with the recorded pace. So a
 * datagram is played no sooner after the one before it than in the recording, unless the socket is seen
 * empty.
 */
import type { Family, Port } from "../../base/units.ts";
import { IPPROTO_UDP } from "../../net/packet.ts";
import type { Flow } from "../../recording/flows.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How often to look whether a socket is empty. */
const lookMs = 0.2;

export interface DatagramPaceParts {
  readonly clock: { readonly nowMs: number };
  readonly index: RecordingIndex;
  /** Recorded gaps are divided by it. */
  readonly speed: number;
  /** How many bytes wait in the container's socket for datagrams of this flow; undefined if unknown. */
  readonly queuedBytes: (flow: DatagramFlow) => number | undefined;
}

/** A flow of UDP to a container. */
export interface DatagramFlow {
  readonly family: Family;
  readonly sender: number;
  readonly sourcePort: Port;
  readonly receiver: number;
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

  constructor(parts: DatagramPaceParts) {
    this.#parts = parts;
  }

  /**
   * How long to hold the recorded packet `event` back before it is looked at again, in milliseconds; 0
   * lets it go now.
   */
  holdMs(event: number): number {
    const { clock, index, speed } = this.#parts;
    const flow = index.flows[index.flow(event)] as Flow;
    if (flow.protocol !== IPPROTO_UDP || flow.receiver < 0) return 0;
    const socket = `${flow.receiver} ${flow.family} ${flow.destinationPort}`;
    const last = this.#last.get(socket);
    const recordedNs = index.timeNs(event);
    if (last !== undefined) {
      const dueMs = last.atMs + Math.max(0, recordedNs - last.recordedNs) / 1e6 / speed;
      if (clock.nowMs < dueMs && !this.#isEmpty(flow)) return Math.min(lookMs, dueMs - clock.nowMs);
    }
    this.#last.set(socket, { atMs: clock.nowMs, recordedNs });
    return 0;
  }

  #isEmpty({ family, sender, sourcePort, receiver, destinationPort }: Flow): boolean {
    const flow = {
      family,
      sender,
      sourcePort: sourcePort as Port,
      receiver,
      destinationPort: destinationPort as Port,
    };
    return this.#parts.queuedBytes(flow) === 0;
  }
}
