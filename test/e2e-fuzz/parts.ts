/** Each program's own part of a scenario, as `actor.py` executes it. */
import {
  addressOf,
  type Connection,
  connectionOf,
  type Ending,
  flowOf,
  listenerOf,
  nameOf,
  opposite,
  type Pace,
  type Place,
  placeOf,
  type Scenario,
  type Side,
  type Step,
} from "./scenario.ts";

type Operation = readonly [name: string, ...args: readonly unknown[]];

/** Emits an operation that a thread is to execute. */
type Emit = (place: Place, ...operation: Operation) => void;

/** A program, as `actor.py` reads it from a file. */
export interface Program {
  readonly name: string;
  readonly names: readonly string[];
  readonly isTogether: boolean;
  readonly listeners: readonly unknown[];
  readonly connections: readonly unknown[];
  readonly flows: readonly unknown[];
  readonly threads: readonly (readonly unknown[])[];
}

/** How many bytes a direction has carried, and how many of them were read. */
interface Carried {
  written: number;
  read: number;
}

const sides: readonly Side[] = ["client", "server"];

/** What has happened on a connection so far. */
class Talk {
  readonly connection: Connection;
  readonly carried: Readonly<Record<Side, Carried>> = {
    client: { written: 0, read: 0 },
    server: { written: 0, read: 0 },
  };
  readonly ended: Record<Side, boolean> = { client: false, server: false };
  readonly #emit: Emit;
  readonly #scenario: Scenario;

  constructor(scenario: Scenario, connection: Connection, emit: Emit) {
    this.#scenario = scenario;
    this.connection = connection;
    this.#emit = emit;
  }

  does(side: Side, name: string, ...args: readonly unknown[]): void {
    const place = placeOf(this.#scenario, this.connection, side);
    this.#emit(place, name, this.connection.id, ...args);
  }

  write(from: Side, bytes: number, pace?: Pace): void {
    const carried = this.carried[from];
    if (bytes > 0)
      this.does(from, "send", carried.written, bytes, pace?.pieceBytes ?? 0, pace?.gapMs ?? 0);
    carried.written += bytes;
  }

  /** The other side reads all that `from` has written. */
  read(from: Side, pace?: Pace): void {
    const carried = this.carried[from];
    const { written, read } = carried;
    if (read < written)
      this.does(opposite(from), "receive", read, written, pace?.pieceBytes ?? 0, pace?.gapMs ?? 0);
    carried.read = written;
  }

  duplex(clientBytes: number, serverBytes: number): void {
    for (const side of sides) this.read(side);
    const { client, server } = this.carried;
    this.does("client", "both", client.written, clientBytes, server.written, serverBytes);
    this.does("server", "both", server.written, serverBytes, client.written, clientBytes);
    client.written = client.read += clientBytes;
    server.written = server.read += serverBytes;
  }

  halfClose(from: Side): void {
    this.does(from, "shut");
    this.read(from);
    this.does(opposite(from), "read_end");
    this.ended[from] = true;
  }

  end(by: Side, ending: Ending): void {
    for (const side of sides) this.read(side);
    const other = opposite(by);
    switch (ending.how) {
      case "close":
        this.does(by, "close");
        if (!this.ended[by]) this.does(other, "read_end");
        this.does(other, "close");
        break;
      case "together":
        for (const side of sides) this.does(side, "close");
        break;
      case "reset":
        this.#reset(by, ending.lastBytes);
        break;
      case "cancel":
        this.#cancel(by, ending);
        break;
      case "leave":
        this.does(by, "hold");
        this.does(other, "read_over");
        this.does(other, "close");
        break;
    }
  }

  /** All that `by` has sent must have arrived before it resets, or the reset may overtake it. */
  #reset(by: Side, lastBytes: number): void {
    const other = opposite(by);
    if (this.carried[by].written > 0) {
      this.write(other, 1);
      this.read(other);
    }
    this.write(by, lastBytes);
    this.does(by, "reset");
    this.read(by);
    this.does(other, "read_reset");
    this.does(other, "close");
  }

  #cancel(by: Side, ending: Ending & { readonly how: "cancel" }): void {
    const other = opposite(by);
    const { written } = this.carried[other];
    this.does(other, "flood", written, ending.limitBytes);
    this.does(by, "receive", written, written + ending.readBytes, 0, 0);
    this.does(by, ending.isReset ? "reset" : "close");
    this.does(other, "close");
    this.carried[other].written += ending.limitBytes;
  }
}

/** The programs of all containers. */
export function programsOf(scenario: Scenario): Program[] {
  const threads = scenario.containers.map((count) =>
    Array.from({ length: count }, (): unknown[] => []),
  );
  play(scenario, (step, place, ...operation) =>
    threads[place.container]?.[place.thread]?.push([step, ...operation]),
  );
  const names = scenario.containers.map((_count, container) => nameOf(container));
  return scenario.containers.map((_count, container) => ({
    name: nameOf(container),
    names,
    isTogether: scenario.isTogether,
    listeners: listenersOn(scenario, container),
    connections: connectionsOn(scenario, container),
    flows: flowsOn(scenario, container),
    threads: (threads[container] ?? []).filter((operations) => operations.length > 0),
  }));
}

/** How many bytes each side of a connection has sent in the end, and how many of them were read. */
export function carriedBy(
  scenario: Scenario,
): ReadonlyMap<number, Readonly<Record<Side, Readonly<Carried>>>> {
  const talks = play(scenario, () => {});
  return new Map([...talks].map(([id, talk]) => [id, talk.carried]));
}

/** Goes through all steps, and emits what each thread is to do. */
function play(
  scenario: Scenario,
  emit: (step: number, ...operation: Parameters<Emit>) => void,
): ReadonlyMap<number, Talk> {
  let number = 0;
  const now: Emit = (...operation) => emit(number, ...operation);
  const talks = new Map(
    scenario.connections.map((one) => [one.id, new Talk(scenario, one, now)] as const),
  );
  const datagrams = new Map<string, number>();
  for (const step of scenario.steps) {
    if ("connection" in step) playOnConnection(scenario, step, talkOf(talks, step.connection), now);
    else if (step.do === "datagrams") playDatagrams(scenario, step, datagrams, now);
    else playOnThread(scenario, step, now);
    number++;
  }
  return talks;
}

function playOnConnection(
  scenario: Scenario,
  step: Step & { readonly connection: number },
  talk: Talk,
  emit: Emit,
): void {
  const listener = listenerOf(scenario, talk.connection);
  switch (step.do) {
    case "accept":
      emit(listener, "accept", step.connection, talk.connection.listener);
      break;
    case "hello":
      talk.does("client", "hello", listener.identify === "login");
      break;
    case "transfer":
      talk.write(step.from, step.bytes, step.write);
      talk.read(step.from, step.read);
      break;
    case "duplex":
      talk.duplex(step.clientBytes, step.serverBytes);
      break;
    case "rounds":
      for (let round = 0; round < step.count; round++)
        for (const side of [step.from, opposite(step.from)]) {
          talk.write(side, step.bytes);
          talk.read(side);
        }
      break;
    case "write":
      talk.write(step.from, step.bytes);
      break;
    case "halfClose":
      talk.halfClose(step.from);
      break;
    case "end":
      talk.end(step.by, step.ending);
      break;
  }
}

function playOnThread(
  scenario: Scenario,
  step: Exclude<Step, { readonly connection: number } | { readonly flow: number }>,
  emit: Emit,
): void {
  switch (step.do) {
    case "connect": {
      const [first] = step.connections;
      if (first !== undefined)
        emit(connectionOf(scenario, first).client, "connect", step.connections);
      break;
    }
    case "pause":
      emit(step, "pause", step.ms);
      break;
    case "refused":
      emit(step, "refused", step.family, addressOf(step.to, step.family), step.port);
      break;
  }
}

function playDatagrams(
  scenario: Scenario,
  step: Step & { readonly do: "datagrams" },
  sent: Map<string, number>,
  emit: Emit,
): void {
  const flow = flowOf(scenario, step.flow);
  const key = `${step.flow} ${step.from}`;
  const first = sent.get(key) ?? 0;
  sent.set(key, first + step.count);
  const { flow: id, count, bytes, gapMs } = step;
  emit(flow[step.from], "send_datagrams", id, first, count, bytes, gapMs);
  emit(flow[opposite(step.from)], "receive_datagrams", id, first, count, bytes);
}

function talkOf(talks: ReadonlyMap<number, Talk>, id: number): Talk {
  const talk = talks.get(id);
  if (!talk) throw new Error(`there is no connection ${id}`);
  return talk;
}

function listenersOn(scenario: Scenario, container: number): unknown[] {
  return scenario.listeners.flatMap((listener, index) =>
    listener.container === container
      ? [{ ...listener, index, address: addressOf(container, listener.family) }]
      : [],
  );
}

function connectionsOn(scenario: Scenario, container: number): unknown[] {
  return scenario.connections.flatMap((connection): unknown[] => {
    const { id, noDelay, localPort, listener: index } = connection;
    const listener = listenerOf(scenario, connection);
    const { family, port } = listener;
    const facts = { id, noDelay, ...(localPort === undefined ? {} : { localPort }) };
    if (connection.client.container === container)
      return [
        {
          ...facts,
          side: "client",
          family,
          address: addressOf(listener.container, family),
          port,
          localAddress: addressOf(container, family),
          mayBeReset: isResetAtOnce(scenario, id),
        },
      ];
    return listener.container === container ? [{ ...facts, side: "server", listener: index }] : [];
  });
}

/** Whether the server resets without having read anything. */
function isResetAtOnce(scenario: Scenario, id: number): boolean {
  const first = scenario.steps.find(
    (step) => "connection" in step && step.connection === id && step.do !== "accept",
  );
  return first?.do === "end" && first.ending.how === "reset" && first.by === "server";
}

function flowsOn(scenario: Scenario, container: number): unknown[] {
  return scenario.flows.flatMap((flow) =>
    sides
      .filter((side) => flow[side].container === container)
      .map((side) => ({
        id: flow.id,
        side,
        family: flow.family,
        localAddress: addressOf(container, flow.family),
        localPort: flow[side].port,
        address: addressOf(flow[opposite(side)].container, flow.family),
        port: flow[opposite(side)].port,
      })),
  );
}
