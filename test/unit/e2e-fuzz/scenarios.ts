import type { Connection, Listener, Scenario, Step } from "../../e2e-fuzz/scenario.ts";

const listener: Listener = {
  container: 0,
  family: 4,
  port: 7000,
  identify: "order",
  backlog: 128,
  lateMs: 0,
  thread: 0,
};

/** Connections from `b` to `a`, which accepts them in their order, with these steps. */
export function scenarioOf(
  count: number,
  steps: readonly Step[],
  options: {
    readonly listener?: Partial<Listener>;
    readonly connection?: Partial<Connection>;
    readonly scenario?: Partial<Scenario>;
  } = {},
): Scenario {
  return {
    seed: 0,
    containers: [2, 2],
    listeners: [{ ...listener, ...options.listener }],
    connections: Array.from({ length: count }, (_, id) => ({
      id,
      listener: 0,
      client: { container: 1, thread: 0 },
      serverThread: 0,
      noDelay: true,
      ...options.connection,
    })),
    flows: [],
    links: [],
    waitListenMs: 0,
    isTogether: true,
    steps,
    ...options.scenario,
  };
}

export function connect(...connections: readonly number[]): Step {
  return { do: "connect", connections };
}

export function accept(connection: number): Step {
  return { do: "accept", connection };
}

/** The server closes. */
export function close(connection: number): Step {
  return { do: "end", connection, by: "server", ending: { how: "close" } };
}

/** Everything a connection needs. */
export function whole(connection: number, ...between: readonly Step[]): Step[] {
  return [connect(connection), accept(connection), ...between, close(connection)];
}
