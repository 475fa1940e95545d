/** Requests of `fetch` through the run's network. */
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Destroyable, FetchDispatcher } from "./fetch-types.ts";

/** The parts of a request's origin that undici gives to a connector. */
interface Origin {
  readonly hostname: string;
  readonly port: string;
  readonly protocol: string;
  readonly servername?: string | null;
}

type Connected = (error: Error | null, socket: Socket | null) => void;
type Connector = (origin: Origin, connected: Connected) => void;
interface AgentOptions {
  readonly connect: Connector;
  /** Requests on a connection at once; 0 for one request on each connection. */
  readonly pipelining: number;
}

/** The class of {@link agentOfFetch}. */
export type AgentClass = new (options: AgentOptions) => FetchDispatcher & Destroyable;

const globalDispatcher = Symbol.for("undici.globalDispatcher.1");
const defaultPorts: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** A dispatcher for `fetch` whose connections come from `connect`. */
export function dispatcherThrough(
  Agent: AgentClass,
  connect: (host: string, port: number) => Socket,
): FetchDispatcher & Destroyable {
  return new Agent({
    // A connection for each request. In a pool, timing decides which connection takes a request and
    // when an idle one is closed, so recordings would differ from run to run.
    pipelining: 0,
    connect: (origin, connected) => {
      const { hostname, protocol } = origin;
      const port = origin.port === "" ? defaultPorts[protocol] : Number(origin.port);
      try {
        const socket = connect(hostname.replaceAll(/^\[|\]$/g, ""), port ?? 0);
        if (protocol === "https:") secure(socket, origin, connected);
        else report(socket, "connect", connected);
      } catch (error) {
        connected(error as Error, null);
      }
    },
  });
}

function secure(socket: Socket, { hostname, servername }: Origin, connected: Connected): void {
  const secured: TLSSocket = connectTls({ socket, servername: servername ?? hostname });
  report(secured, "secureConnect", connected);
}

function report(socket: Socket, event: string, connected: Connected): void {
  const onError = (error: Error): void => connected(error, null);
  socket.once("error", onError);
  socket.once(event, () => {
    socket.off("error", onError);
    connected(null, socket);
  });
}

/**
 * The class of the dispatcher that `fetch` uses by default. Node loads it on first use and does not
 * export it, and a dispatcher of another undici than the one behind `fetch` may not fit.
 */
export async function agentOfFetch(): Promise<AgentClass> {
  await fetch("data:,");
  const used = (globalThis as Record<symbol, unknown>)[globalDispatcher] as object;
  return used.constructor as AgentClass;
}
