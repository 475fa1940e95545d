/**
 * Gives a server as much time to become ready as it had in the recording. A server may listen
 * before it is ready: PostgreSQL then answers "the database system is starting up". The recorded
 * client came later. So until a process has accepted its first connection, the replay connects to
 * it no sooner after its start than in the recording. After that, the process is known to be ready.
 *
 * A server that starts more slowly than in the recording does not listen yet at that time. Once it
 * listens, it gets a moment more.
 */
import type { Family, Port } from "../../base/units.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How often to check whether a late server listens. */
const lookMs = 10;
/** How long a late server gets after it begins to listen, as a share of the patience. */
const lateShare = 0.25;
/**
 * The same in an imported recording. All its servers count as late, because they had been running
 * long before the capture.
 */
const importedShare = 0.5;

export interface StartHoldParts {
  readonly clock: { readonly nowMs: number };
  readonly index: RecordingIndex;
  readonly patienceMs: number;
  /** Divides the recorded times. */
  readonly speed: number;
  /** Whether any process of a container listens on a port. */
  readonly listens: (container: number, family: Family, port: Port) => boolean;
}

export class StartHold {
  readonly #parts: StartHoldParts;
  readonly #startedMs: number;
  /** Containers whose servers need no more time. */
  readonly #ready = new Set<number>();
  /** When late servers were first seen to listen, by container; Infinity before that. */
  readonly #late = new Map<number, number>();

  constructor(parts: StartHoldParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.nowMs;
  }

  /**
   * How long to hold back the recorded `connect` before asking again, in milliseconds. 0 releases
   * it.
   */
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

  /** No process is left in the container that could become ready. */
  noteGone(container: number): void {
    this.#ready.add(container);
  }

  /** Whether the server did not listen in time, or has only just begun to. */
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
