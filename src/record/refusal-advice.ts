/**
 * Explains a frequent mistake: a server that listens only on the loopback address refuses the other
 * containers, as it would refuse other hosts.
 */
import type { Connection } from "../pipe/core/connection.ts";
import { listensOnLoopback } from "../sys/listening.ts";
import type { Namespace } from "../sys/namespace.ts";

/** Limits the checks, which are slow, for a client that retries. */
const lookEveryMs = 1000;

export class RefusalAdvice {
  readonly #names: readonly string[];
  readonly #networks: readonly (Namespace | undefined)[];
  readonly #onAdvice: (text: string) => void;
  /** By server and port: the time of the next allowed check. */
  readonly #lookAtMs = new Map<string, number>();

  /** Names and networks are indexed by container. */
  constructor(
    names: readonly string[],
    networks: readonly (Namespace | undefined)[],
    onAdvice: (text: string) => void,
  ) {
    this.#names = names;
    this.#networks = networks;
    this.#onAdvice = onAdvice;
  }

  /** Notes that the server refused this connection. */
  note({ client, server, serverPort }: Connection, nowMs: number): void {
    const key = `${server}:${serverPort}`;
    const network = this.#networks[server];
    if (network === undefined || nowMs < (this.#lookAtMs.get(key) ?? 0)) return;
    const isLoopback = listensOnLoopback(network, serverPort);
    this.#lookAtMs.set(key, isLoopback ? Infinity : nowMs + lookEveryMs);
    if (!isLoopback) return;
    const [from, to] = [this.#names[client], this.#names[server]];
    this.#onAdvice(
      `${to} refused ${from} at port ${serverPort}: it listens there on the loopback address alone, so let it listen on 0.0.0.0 or ::`,
    );
  }
}
