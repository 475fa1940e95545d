/** The adapter for ioredis, whose option `Connector` is a class that makes connections. */
import type { Socket } from "node:net";
import type { CallerSockets } from "./sockets.ts";

/** What ioredis expects of a connector (lib/connectors/AbstractConnector in ioredis 5). */
interface Connector {
  firstError?: Error;
  /** Whether the server is the right one. */
  check(): boolean;
  connect(): Promise<Socket>;
  disconnect(): void;
}

/** The class for ioredis' option `Connector`. */
export type IoredisConnector = new (options: unknown) => Connector;

/** A class of connectors whose connections are these sockets. */
export function connectorThrough(sockets: CallerSockets): IoredisConnector {
  return class implements Connector {
    readonly #options: { readonly host?: string; readonly port?: number };
    #socket: Socket | undefined;

    constructor(options: unknown) {
      this.#options = options as { readonly host?: string; readonly port?: number };
    }

    check(): boolean {
      return true;
    }

    async connect(): Promise<Socket> {
      const { host = "localhost", port = 6379 } = this.#options;
      this.#socket = sockets.connect(host, port);
      return this.#socket;
    }

    disconnect(): void {
      this.#socket?.end();
    }
  };
}
