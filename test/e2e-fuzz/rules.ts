/** What a scenario must keep to have one possible outcome, and to come to its end. */
import {
  type Connection,
  connectionOf,
  type Ending,
  flowOf,
  type Listener,
  listenerOf,
  opposite,
  type Place,
  placeOf,
  type Scenario,
  type Side,
  type Step,
} from "./scenario.ts";

/** Every kernel takes so much without anybody reading it. */
export const mostUnreadBytes = 8192;

/** More than all buffers on the way take. */
export const unlimitedBytes = 50_000_000;

type On<Do extends Step["do"]> = Extract<Step, { readonly do: Do }>;

/** A connection between two steps. */
class State {
  readonly connection: Connection;
  readonly listener: Listener;
  phase: "new" | "connected" | "open" | "over" = "new";
  readonly ended: Record<Side, boolean> = { client: false, server: false };
  readonly unreadBytes: Record<Side, number> = { client: 0, server: 0 };

  constructor(connection: Connection, listener: Listener) {
    this.connection = connection;
    this.listener = listener;
  }
}

/** Checks the rules, and returns which are broken. */
export function problemsOf(scenario: Scenario): string[] {
  return new Rules(scenario).check();
}

/** Whether the client's port may be used again at once: the one that closes first has to wait. */
export function freesPort(by: Side, ending: Ending): boolean {
  if (ending.how === "reset") return true;
  // A sender that gets rid of everything closes first.
  if (ending.how === "cancel") return ending.isReset && ending.limitBytes >= unlimitedBytes;
  return ending.how === "close" && by === "server";
}

class Rules {
  readonly #scenario: Scenario;
  readonly #states: ReadonlyMap<number, State>;
  readonly #problems: string[] = [];
  /** Connections that wait to be accepted, by listener. */
  readonly #queues = new Map<number, number[]>();
  /** What uses a client's port. */
  readonly #ports = new Map<string, number>();
  #number = 0;
  #isLeaving = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#states = new Map(
      scenario.connections.map((one) => [one.id, new State(one, listenerOf(scenario, one))]),
    );
  }

  check(): string[] {
    this.#checkPlaces();
    for (const step of this.#scenario.steps) {
      this.#step(step);
      this.#number++;
    }
    for (const { phase, connection } of this.#states.values())
      this.#require(phase === "over", `connection ${connection.id} does not end`);
    return this.#problems;
  }

  #require(holds: boolean, problem: string): void {
    if (!holds) this.#problems.push(`step ${this.#number}: ${problem}`);
  }

  #checkPlaces(): void {
    const { connections, flows, steps } = this.#scenario;
    for (const connection of connections) {
      const { container } = listenerOf(this.#scenario, connection);
      this.#require(connection.client.container !== container, `${connection.id} goes to itself`);
      for (const side of ["client", "server"] as const)
        this.#checkPlace(placeOf(this.#scenario, connection, side));
    }
    for (const { client, server } of flows) for (const at of [client, server]) this.#checkPlace(at);
    for (const step of steps) if ("thread" in step) this.#checkPlace(step);
  }

  #checkPlace({ container, thread }: Place): void {
    const count = this.#scenario.containers[container] ?? 0;
    this.#require(thread < count, `container ${container} has no thread ${thread}`);
  }

  #step(step: Step): void {
    const isLeave = step.do === "end" && step.ending.how === "leave";
    this.#require(!this.#isLeaving || isLeave, "a step follows a process' exit");
    if (step.do === "connect") return this.#connect(step.connections);
    if (step.do === "datagrams") flowOf(this.#scenario, step.flow);
    if (!("connection" in step)) return undefined;
    const state = this.#states.get(step.connection);
    if (!state) throw new Error(`there is no connection ${step.connection}`);
    return this.#stepOn(state, step);
  }

  #connect(connections: readonly number[]): void {
    const places = connections.map((id) => connectionOf(this.#scenario, id).client);
    const [first] = places;
    for (const place of places)
      this.#require(
        place.container === first?.container && place.thread === first.thread,
        "several threads connect in one step",
      );
    for (const id of connections) this.#connectOne(id);
  }

  #connectOne(id: number): void {
    const state = this.#states.get(id);
    if (!state) throw new Error(`there is no connection ${id}`);
    this.#require(state.phase === "new", `${id} connects twice`);
    const { identify } = state.listener;
    state.phase = identify === "port" ? "open" : "connected";
    if (identify === "order") this.#queue(state.connection.listener).push(id);
    const key = portKey(state.connection);
    if (key === undefined) return this.#require(identify !== "port", `${id} has no port`);
    const before = this.#ports.get(key);
    this.#require(
      before === undefined || this.#states.get(before)?.phase === "over",
      `${id} has the port of ${before ?? ""}`,
    );
    const clientBefore =
      before === undefined ? undefined : this.#states.get(before)?.connection.client;
    this.#require(
      clientBefore === undefined || clientBefore.thread === state.connection.client.thread,
      `${id} cannot know that ${before ?? ""} is over`,
    );
    this.#ports.set(key, id);
  }

  #queue(listener: number): number[] {
    const queue = this.#queues.get(listener) ?? [];
    this.#queues.set(listener, queue);
    return queue;
  }

  #stepOn(state: State, step: Step & { readonly connection: number }): void {
    if (step.do === "accept") return this.#accept(state);
    if (step.do === "hello") return this.#hello(state);
    // Before it is accepted the client can only write.
    const isEarly =
      step.do === "write" && step.from === "client" && state.listener.identify === "order";
    this.#require(
      state.phase === "open" || (isEarly && state.phase === "connected"),
      `${step.connection} is ${state.phase}`,
    );
    if (step.do !== "write")
      this.#require(state.phase === "open", `${step.connection} is not open`);
    return this.#talk(state, step);
  }

  #accept(state: State): void {
    const { id, listener } = state.connection;
    this.#require(state.listener.identify === "order", `${id} is accepted by itself`);
    this.#require(this.#queue(listener)[0] === id, `${id} is not the next to be accepted`);
    this.#queue(listener).shift();
    state.phase = "open";
  }

  #hello(state: State): void {
    const { identify } = state.listener;
    this.#require(identify === "hello" || identify === "login", "a hello without need");
    this.#require(state.phase === "connected", `a hello of a connection that is ${state.phase}`);
    state.phase = "open";
  }

  #talk(
    state: State,
    step: Exclude<Step & { readonly connection: number }, On<"accept" | "hello">>,
  ): void {
    switch (step.do) {
      case "write":
        this.#sends(state, step.from);
        state.unreadBytes[step.from] += step.bytes;
        this.#require(state.unreadBytes[step.from] <= mostUnreadBytes, "too much stays unread");
        break;
      case "transfer":
        this.#sends(state, step.from);
        state.unreadBytes[step.from] = 0;
        break;
      case "duplex":
      case "rounds":
        for (const side of ["client", "server"] as const) {
          this.#sends(state, side);
          state.unreadBytes[side] = 0;
        }
        break;
      case "halfClose":
        this.#sends(state, step.from);
        state.ended[step.from] = true;
        break;
      case "end":
        this.#end(state, step);
        break;
    }
  }

  #sends(state: State, side: Side): void {
    this.#require(!state.ended[side], `the ${side} of ${state.connection.id} has ended`);
  }

  #end(state: State, { by, ending }: On<"end">): void {
    const isSaid = ending.how === "cancel" || ending.how === "reset";
    if (isSaid) this.#sends(state, opposite(by));
    // Who has read the end of a stream sees no reset behind it.
    if (ending.how === "reset") this.#sends(state, by);
    if (ending.how === "reset" && ending.lastBytes > 0) {
      this.#require(state.connection.noDelay, "the last words could wait for an acknowledgment");
    }
    if (ending.how === "leave") this.#leave(state, by);
    state.phase = "over";
    const key = portKey(state.connection);
    const again = this.#scenario.connections.filter((one) => portKey(one) === key);
    if (key !== undefined && again.at(-1)?.id !== state.connection.id)
      this.#require(freesPort(by, ending), `${state.connection.id} leaves its port in TIME_WAIT`);
  }

  /** The other side waits for the exit, and so may itself be waited for by those after it alone. */
  #leave({ connection }: State, by: Side): void {
    this.#isLeaving = true;
    const [leaver, waiter] = [by, opposite(by)].map(
      (side) => placeOf(this.#scenario, connection, side).container,
    );
    this.#require((leaver ?? 0) < (waiter ?? 0), "processes wait for each other's exit");
  }
}

/** What a client's port is bound for, or undefined if the kernel chooses it. */
function portKey({ client, localPort, listener }: Connection): string | undefined {
  if (localPort === undefined) return undefined;
  return `${client.container} ${localPort} ${listener}`;
}
