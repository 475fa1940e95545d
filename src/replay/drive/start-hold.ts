/**
 * Gives a server as much time to become ready as it had. A server may listen before it is ready
 * (PostgreSQL answers "the database system is starting up"), where the recorded client came later. So
 * nobody connects to a process sooner after its start than in the recording, up to the first connection
 * that it accepted. From then on it is known to be ready.
 *
 * A server that starts more slowly than in the recording does not listen yet at that time. When it does,
 * it gets a moment more.
 */
import type { Family, Port } from "../../base/units.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How often to look whether a late server listens. */
const lookMs = 10;
/** How long a late server gets once it listens, as a share of the patience. */
const lateShare = 0.25;
/** In an imported recording every server is late: it had been running for long before the capture. */
const importedShare = 0.5;

export interface StartHoldParts {
  readonly clock: { readonly nowMs: number };
  readonly index: RecordingIndex;
  readonly patienceMs: number;
  /** Recorded times are divided by it. */
  readonly speed: number;
  /** Whether anybody listens on a port of a container. */
  readonly listens: (container: number, family: Family, port: Port) => boolean;
}

export class StartHold {
  readonly #parts: StartHoldParts;
  readonly #startedMs: number;
  /** Containers that were connected to. */
  readonly #ready = new Set<number>();
  /** When containers that are late were first seen to listen; Infinity if they were not yet. */
  readonly #late = new Map<number, number>();

  constructor(parts: StartHoldParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.nowMs;
  }

  /** How long to hold the recorded `connect` back before it is looked at again; 0 lets it go. */
  holdMs(connect: number): number {
    const { clock, index, patienceMs, speed } = this.#parts;
    const container = index.receiver(connect);
    if (this.#ready.has(container)) return 0;
    const dueMs = this.#startedMs + index.deliveryNs(connect) / 1e6 / speed;
    if (dueMs > clock.nowMs) return dueMs - clock.nowMs;
    if (index.connections.outcome(index.connection(connect)) !== "accepted") return 0;
    if (clock.nowMs < dueMs + patienceMs && this.#isLate(container, connect)) return lookMs;
    this.#ready.add(container);
    return 0;
  }

  /** No process of the container is left that could become ready. */
  noteGone(container: number): void {
    this.#ready.add(container);
  }

  /** Whether the server did not listen in time, and has only just begun. */
  #isLate(container: number, connect: number): boolean {
    const { clock, index, patienceMs, listens } = this.#parts;
    const { connections, run } = index;
    const isImported = run.subnets.length === 0;
    const connection = index.connection(connect);
    const sinceMs = this.#late.get(container);
    if (sinceMs !== undefined && sinceMs < Infinity)
      return clock.nowMs < sinceMs + (isImported ? importedShare : lateShare) * patienceMs;
    const isUp = listens(
      container,
      connections.family(connection),
      connections.serverPort(connection),
    );
    if (isUp && sinceMs === undefined && !isImported) return false;
    this.#late.set(container, isUp ? clock.nowMs : Infinity);
    return true;
  }
}
