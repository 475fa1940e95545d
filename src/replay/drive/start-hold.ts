/**
 * Gives a server as much time to become ready as it had in the recording. A server may listen
 * before it is ready: PostgreSQL then answers "the database system is starting up". The recorded
 * client came later. So until a process has accepted its first connection, the replay connects to
 * it no sooner after its start than in the recording. After that, the process is known to be ready.
 *
 * A server that starts more slowly than in the recording does not listen yet at that time. Once it
 * listens, it gets a moment more: until all its threads wait, as they do when it is ready.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Family, Port } from "../../base/units.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How often to check whether a late server listens. */
const lookMs = 10;
/** A late server that listens is ready once all its threads have waited for this long. */
const quietMs = 100;
/** How long it gets at most after it begins to listen, as a share of the patience. */
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
  readonly listens: (container: ContainerIndex, family: Family, port: Port) => boolean;
  /** Whether any process of a container has worked since the last such question. */
  readonly isWorking: (container: ContainerIndex) => boolean;
}

/** A server that did not listen in time. */
interface LateServer {
  /** When it was first seen to listen. */
  readonly listensSinceMs: number;
  /** When it was last seen to work. */
  workedMs: number;
}

export class StartHold {
  readonly #parts: StartHoldParts;
  readonly #startedMs: number;
  /** Containers whose servers need no more time. */
  readonly #ready = new Set<number>();
  /** Late servers by container; undefined before they listen. */
  readonly #late = new Map<number, LateServer | undefined>();

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
  noteGone(container: ContainerIndex): void {
    this.#ready.add(container);
  }

  /** Whether the server did not listen in time, or has only just begun to. */
  #isLate(container: ContainerIndex, connect: number): boolean {
    const { clock, index, listens } = this.#parts;
    const { connections, run } = index;
    const isImported = run.subnets.length === 0;
    const late = this.#late.get(container);
    if (late !== undefined)
      return this.#isStarting(container, late, isImported ? importedShare : lateShare);
    const connection = index.connection(connect);
    const port = connections.serverPort(connection);
    const isUp = listens(container, connections.family(connection), port);
    if (isUp && !this.#late.has(container) && !isImported) return false;
    const { nowMs } = clock;
    this.#late.set(container, isUp ? { listensSinceMs: nowMs, workedMs: nowMs } : undefined);
    return true;
  }

  /** Whether a server that listens still works on its start. */
  #isStarting(container: ContainerIndex, late: LateServer, share: number): boolean {
    const { clock, patienceMs, isWorking } = this.#parts;
    if (isWorking(container)) late.workedMs = clock.nowMs;
    const untilMs = Math.min(late.listensSinceMs + share * patienceMs, late.workedMs + quietMs);
    return clock.nowMs < untilMs;
  }
}
