/** The calling process's part in a run: its sockets, and adapters for clients that take them. */
import type { Destroyable, FetchDispatcher } from "./fetch-types.ts";
import type { Topology } from "../../sandbox/network/topology.ts";
import type { Namespace } from "../../sys/namespace.ts";
import { type AgentClass, agentOfFetch, dispatcherThrough } from "./dispatcher.ts";
import { connectorThrough, type IoredisConnector } from "./ioredis.ts";
import { CallerSockets } from "./sockets.ts";

export class Caller {
  readonly sockets: CallerSockets;
  readonly ioredisConnector: IoredisConnector;
  readonly #Agent: AgentClass;
  #dispatcher: (FetchDispatcher & Destroyable) | undefined;

  private constructor(sockets: CallerSockets, Agent: AgentClass) {
    this.sockets = sockets;
    this.ioredisConnector = connectorThrough(sockets);
    this.#Agent = Agent;
  }

  /** Lets the calling process take part in the container whose network this is. */
  static async create(network: Namespace, topology: Topology): Promise<Caller> {
    return new Caller(new CallerSockets(network, topology), await agentOfFetch());
  }

  get dispatcher(): FetchDispatcher {
    this.#dispatcher ??= dispatcherThrough(this.#Agent, (host, port) =>
      this.sockets.connect(host, port),
    );
    return this.#dispatcher;
  }

  /** Closes everything. Returns whether there was anything to close. */
  async close(): Promise<boolean> {
    const hadOpen = await this.sockets.close();
    await this.#dispatcher?.destroy();
    return hadOpen;
  }
}
