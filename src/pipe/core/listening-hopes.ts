/**
 * How long connections wait for a server that does not listen yet: pure.
 *
 * The time runs per port, not per attempt: a client that tries IPv6 and then IPv4 waits once. It
 * starts with the first refused attempt. It starts anew after an accepted connection, or after a
 * while without attempts. No connection waits for a container without processes.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Connection } from "./connection.ts";

export class ListeningHopes {
  readonly #waitMs: number;
  /** The time of the first attempt, by server and port. */
  readonly #sinceMs = new Map<string, number>();
  readonly #gone = new Set<number>();

  /** `waitMs` is how long to wait for each port. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** How long a connection attempted now may be held. */
  remainingMs(connection: Connection, nowMs: number): number {
    if (this.isGone(connection) || this.#waitMs === 0) return 0;
    const key = keyOf(connection);
    const sinceMs = this.#sinceMs.get(key);
    if (sinceMs === undefined || nowMs >= sinceMs + 2 * this.#waitMs) {
      this.#sinceMs.set(key, nowMs);
      return this.#waitMs;
    }
    return Math.max(0, sinceMs + this.#waitMs - nowMs);
  }

  /** The server accepted this connection. */
  noteAccepted(connection: Connection): void {
    this.#sinceMs.delete(keyOf(connection));
  }

  /** The container has no process left. */
  noteGone(container: ContainerIndex): void {
    this.#gone.add(container);
  }

  isGone({ server }: Connection): boolean {
    return this.#gone.has(server);
  }
}

function keyOf({ server, serverPort }: Connection): string {
  return `${server}:${serverPort}`;
}
