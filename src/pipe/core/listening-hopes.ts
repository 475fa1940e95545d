/**
 * How long connections are held for a server that does not listen yet: pure.
 *
 * The time runs for a port, not for each attempt: a client that tries IPv6 and then IPv4 waits once.
 * It starts with the first attempt that finds nobody there, and anew once somebody has listened, or
 * after a while without attempts. There is no hope of a container without processes.
 */
import type { Connection } from "./connection.ts";

export class ListeningHopes {
  readonly #waitMs: number;
  /** By server and port: when the first attempt was made. */
  readonly #sinceMs = new Map<string, number>();
  readonly #gone = new Set<number>();

  /** `waitMs`: how long a port is waited for. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs;
  }

  /** How long a connection that is attempted now may be held. */
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

  /** The server has accepted this connection. */
  noteAccepted(connection: Connection): void {
    this.#sinceMs.delete(keyOf(connection));
  }

  /** This container has no process left. */
  noteGone(container: number): void {
    this.#gone.add(container);
  }

  isGone({ server }: Connection): boolean {
    return this.#gone.has(server);
  }
}

function keyOf({ server, serverPort }: Connection): string {
  return `${server}:${serverPort}`;
}
