/**
 * Explains a frequent mistake: a server that listens on the loopback address alone is refused to the
 * other containers, as it would be to other hosts.
 */
import type { Connection } from "../pipe/core/connection.ts";
import { listensOnLoopback } from "../sys/listening.ts";
import type { Namespace } from "../sys/namespace.ts";

/** A client may try again and again, and looking takes a while. */
const lookEveryMs = 1000;

export class RefusalAdvice {
  readonly #names: readonly string[];
  readonly #networks: readonly Namespace[];
  readonly #onAdvice: (text: string) => void;
  /** By server and port: when it may be looked at again. */
  readonly #lookAtMs = new Map<string, number>();

  /** Both by container. */
  constructor(
    names: readonly string[],
    networks: readonly Namespace[],
    onAdvice: (text: string) => void,
  ) {
    this.#names = names;
    this.#networks = networks;
    this.#onAdvice = onAdvice;
  }

  /** This connection was refused by its server. */
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
