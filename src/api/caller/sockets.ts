/**
 * The calling process as a container: sockets of this process in the run's network.
 *
 * A socket belongs to the network namespace that its creator's thread is in at that moment, and
 * stays there. So the thread enters the container's namespace, creates a socket, and leaves again
 * (sys/namespace.ts), and Node's event loop then uses the descriptor like any other. The rest of
 * the process does not notice: its other connections keep using the machine's network.
 */
import { createServer, type Server, Socket, type SocketConstructorOpts } from "node:net";
import { once } from "node:events";
import { isSameName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { Family, Port } from "../../base/units.ts";
import type { ContainerPlan, Topology } from "../../sandbox/network/topology.ts";
import { inNamespaces, type Namespace } from "../../sys/namespace.ts";
import { socketHere } from "../../sys/socket.ts";

/** How long closing waits for connections to end after this process has ended its direction. */
const farewellMs = 1000;

/** The sockets of the calling process in one run. */
export class CallerSockets {
  readonly #network: Namespace;
  readonly #topology: Topology;
  readonly #open = new Set<Socket | Server>();
  #isClosed = false;

  constructor(network: Namespace, topology: Topology) {
    this.#network = network;
    this.#topology = topology;
  }

  /** Connects to a port of a container, which has a name or an address. */
  connect(container: string, port: number): Socket {
    const host = this.#addressOf(container);
    return this.socket().connect(port, host);
  }

  /** A socket that is not connected yet. Its `connect` leads into the run's network. */
  socket(): Socket {
    const { family } = this.#primary;
    const fd = this.#create(family);
    const socket = new CallerSocket(fd, (host) => this.#addressOf(host));
    this.#keep(socket);
    return socket;
  }

  /** Lets `server` listen on `port` of this process's container, in all of its addresses. */
  async listen(port: number, server: Server = createServer()): Promise<Server> {
    const families = this.#topology.subnets.map((subnet) => subnet.family);
    // A socket of IPv6 also takes connections over IPv4.
    const fd = this.#create(families.includes(6) ? 6 : 4, port as Port);
    this.#keep(server);
    server.on("connection", (socket: Socket) => this.#keep(socket));
    const listening = once(server, "listening");
    server.listen({ fd });
    await listening;
    return server;
  }

  /**
   * Ends all connections and listeners. Settles when they are closed, with whether there were any.
   */
  async close(): Promise<boolean> {
    this.#isClosed = true;
    const open = [...this.#open];
    await Promise.all(open.map(closed));
    return open.length > 0;
  }

  #create(family: Family, port?: Port): number {
    if (this.#isClosed) throw new UsageError("the run is over, and its network with it");
    return inNamespaces([this.#network], () => socketHere(family, port));
  }

  /** IPv4, if the run has it. */
  get #primary(): Topology["subnets"][number] {
    return this.#topology.subnets[0] as Topology["subnets"][number];
  }

  #keep(socket: Socket | Server): void {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
  }

  #addressOf(host: string): string {
    const { containers } = this.#topology;
    const found = containers.find((plan) => isSameName(plan.name, host) || hasAddress(plan, host));
    const [address] = found?.addresses ?? [];
    if (address !== undefined) return address;
    const names = containers.map(({ name }) => name).join(", ");
    throw new UsageError(`there is no container '${host}' (there are ${names})`);
  }
}

function hasAddress({ addresses }: ContainerPlan, host: string): boolean {
  return addresses.includes(host);
}

/**
 * A socket whose descriptor exists before it is connected. `connect` finds it, and creates no other
 * one (lib/net.js in Node: `if (!this._handle)`).
 */
class CallerSocket extends Socket {
  /** Whether it was ever asked to connect. */
  isUsed = false;
  readonly #addressOf: (host: string) => string;

  constructor(fd: number, addressOf: (host: string) => string) {
    // `manualStart` is what Node's own net.connect sets until there is a connection to read from.
    super({ fd, readable: true, writable: true, manualStart: true } as SocketConstructorOpts);
    this.#addressOf = addressOf;
  }

  /** In all forms of Socket.connect that name a host and a port. */
  override connect(...given: unknown[]): this {
    const [target, host] = given;
    const options = typeof target === "object" ? target : { port: target, host };
    const onConnect = given.findLast((one) => typeof one === "function") as () => void;
    const named = options as { readonly host?: unknown };
    const name = typeof named.host === "string" ? named.host : "localhost";
    const address = this.#addressOf(name);
    this.isUsed = true;
    return super.connect({ ...(options as { port: number }), host: address }, onConnect);
  }
}

/** Settles when the socket is closed: politely, if its peer ends its direction in time. */
function closed(socket: Socket | Server): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    if (!(socket instanceof Socket)) {
      socket.close();
      return;
    }
    if (socket.destroyed) return resolve();
    if (socket instanceof CallerSocket && !socket.isUsed) return void socket.destroy();
    // Whoever uses it hears of errors; here it only has to go.
    socket.on("error", () => {});
    socket.resume();
    socket.end();
    setTimeout(() => socket.destroy(), farewellMs).unref();
  });
}
