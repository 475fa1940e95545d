/**
 * A scenario: what a few programs say to each other, as one list of steps in one order. Each
 * program executes its own part of every step in that order (`parts.ts`), so no scenario can
 * deadlock: the earliest step that is not over has nothing to wait for but itself.
 *
 * Every step has one possible outcome, whatever the timing. Where kernel buffers or scheduling
 * decide, `expected.ts` knows that the outcome is free.
 */
import type { Family } from "../../src/base/units.ts";

export type Side = "client" | "server";

/** A thread of a program. Threads have numbers from 0. */
export interface Place {
  readonly container: number;
  readonly thread: number;
}

/**
 * How a server knows which connection it has accepted: by the `order`, all of them coming from one
 * thread; by the client's local `port`; by a `hello`, four bytes that the client sends first; or by
 * a hello that follows a `login`, which is the same for all.
 */
export type Identify = "order" | "port" | "hello" | "login";

export interface Listener {
  readonly container: number;
  readonly family: Family;
  readonly port: number;
  readonly identify: Identify;
  readonly backlog: number;
  /** It begins to listen this long after the program's start. */
  readonly lateMs: number;
  /**
   * The thread that accepts, one connection at each `accept` step; only if `identify` is `order`.
   */
  readonly thread: number;
}

export interface Connection {
  readonly id: number;
  /** An index of `Scenario.listeners`. */
  readonly listener: number;
  readonly client: Place;
  /** The thread of the listener's container that serves this connection. */
  readonly serverThread: number;
  readonly localPort?: number;
  readonly noDelay: boolean;
}

/** Two UDP sockets that send to each other. */
export interface Flow {
  readonly id: number;
  readonly family: Family;
  readonly client: Place & { readonly port: number };
  readonly server: Place & { readonly port: number };
}

/** In what pieces bytes are written or read, and the time between two of them. */
export interface Pace {
  readonly pieceBytes: number;
  readonly gapMs: number;
}

interface OnConnection {
  readonly connection: number;
}

/** How a connection ends. */
export type Ending =
  /** `by` closes, the other side reads the end and closes. */
  | { readonly how: "close" }
  /** Both close, and neither reads the end. */
  | { readonly how: "together" }
  /**
   * `by` writes this much, in one piece, and resets at once; the other side reads it, then the
   * reset.
   */
  | { readonly how: "reset"; readonly lastBytes: number }
  /**
   * The other side sends `limitBytes`, if nobody breaks it off; `by` reads so much of it, and
   * closes or resets.
   */
  | {
      readonly how: "cancel";
      readonly readBytes: number;
      readonly limitBytes: number;
      readonly isReset: boolean;
    }
  /** The process of `by` exits with the connection open. The last steps of a scenario. */
  | { readonly how: "leave" };

export type Step =
  /** A thread opens these, in this order; several of them without waiting in between. */
  | { readonly do: "connect"; readonly connections: readonly number[] }
  | ({ readonly do: "accept" } & OnConnection)
  | ({ readonly do: "hello" } & OnConnection)
  /** One side sends, the other side reads it. */
  | ({
      readonly do: "transfer";
      readonly from: Side;
      readonly bytes: number;
      readonly write?: Pace;
      readonly read?: Pace;
    } & OnConnection)
  /** Both send at the same time. */
  | ({
      readonly do: "duplex";
      readonly clientBytes: number;
      readonly serverBytes: number;
    } & OnConnection)
  /** One side asks, the other answers, so many times. */
  | ({
      readonly do: "rounds";
      readonly from: Side;
      readonly count: number;
      readonly bytes: number;
    } & OnConnection)
  /** One side sends a little, which the other side reads when it reads the next time. */
  | ({ readonly do: "write"; readonly from: Side; readonly bytes: number } & OnConnection)
  | ({ readonly do: "halfClose"; readonly from: Side } & OnConnection)
  | ({ readonly do: "end"; readonly by: Side; readonly ending: Ending } & OnConnection)
  | ({ readonly do: "pause"; readonly ms: number } & Place)
  /** Connects to a port where nobody listens. */
  | ({
      readonly do: "refused";
      readonly to: number;
      readonly family: Family;
      readonly port: number;
    } & Place)
  | {
      readonly do: "datagrams";
      readonly flow: number;
      readonly from: Side;
      readonly count: number;
      readonly bytes: number;
      readonly gapMs: number;
    };

export interface Scenario {
  /** What it was made from. */
  readonly seed: number;
  /** How many threads each container's program has. */
  readonly containers: readonly number[];
  readonly listeners: readonly Listener[];
  readonly connections: readonly Connection[];
  readonly flows: readonly Flow[];
  /** Of `plg record`. */
  readonly links: readonly string[];
  readonly waitListenMs: number;
  /** The programs wait for each other before they begin. */
  readonly isTogether: boolean;
  readonly steps: readonly Step[];
}

export function opposite(side: Side): Side {
  return side === "client" ? "server" : "client";
}

export function nameOf(container: number): string {
  return String.fromCodePoint("a".charCodeAt(0) + container);
}

export function addressOf(container: number, family: Family): string {
  return family === 4 ? `10.0.0.${container + 1}` : `fd70:6c67:a00::${container + 1}`;
}

/** Finds what the scenario must have. */
export function connectionOf(scenario: Scenario, id: number): Connection {
  return found(scenario.connections, id);
}

export function flowOf(scenario: Scenario, id: number): Flow {
  return found(scenario.flows, id);
}

export function listenerOf(scenario: Scenario, connection: Connection): Listener {
  const listener = scenario.listeners[connection.listener];
  if (!listener) throw new Error(`there is no listener ${connection.listener}`);
  return listener;
}

/** The thread at one side of a connection. */
export function placeOf(scenario: Scenario, connection: Connection, side: Side): Place {
  if (side === "client") return connection.client;
  const { container } = listenerOf(scenario, connection);
  return { container, thread: connection.serverThread };
}

function found<T extends { readonly id: number }>(all: readonly T[], id: number): T {
  const one = all.find((each) => each.id === id);
  if (!one) throw new Error(`there is no connection or flow ${id}`);
  return one;
}
