/**
 * Makes a scenario that fails smaller, as long as it still fails. Pure: the caller says what fails.
 * Every candidate keeps the rules, so it has one possible outcome, as the first one had.
 */
import { problemsOf } from "./rules.ts";
import type { Connection, Listener, Scenario, Step } from "./scenario.ts";

/** Whether a scenario shows the finding. */
type Fails = (scenario: Scenario) => Promise<boolean>;

/**
 * Tries candidates until none of them fails any more, or `isOver` says that it is enough. What
 * failed does not make it begin again: it goes on with what comes next, and begins again at the
 * end.
 */
export async function shrink(
  scenario: Scenario,
  fails: Fails,
  isOver: () => boolean = () => false,
): Promise<Scenario> {
  let smallest = scenario;
  for (let hasShrunk = true; hasShrunk;) {
    hasShrunk = false;
    for (let at = 0; ; at++) {
      const candidate = nth(candidates(smallest), at);
      if (!candidate || isOver()) break;
      if (problemsOf(candidate).length > 0 || !(await fails(candidate))) continue;
      smallest = candidate;
      hasShrunk = true;
      at--;
    }
  }
  return smallest;
}

function nth<T>(values: Iterable<T>, position: number): T | undefined {
  let at = 0;
  for (const value of values) if (at++ === position) return value;
  return undefined;
}

/**
 * Smaller scenarios, those that leave out much before those that leave out little. Some may break
 * rules.
 */
function* candidates(scenario: Scenario): Generator<Scenario, void, undefined> {
  yield* withoutConnections(scenario);
  yield* withoutFlows(scenario);
  yield* withoutSteps(scenario);
  yield* withSimplerSurroundings(scenario);
  yield* withSimplerSteps(scenario);
  yield* withSimplerConnections(scenario);
}

/** Parts of a list, from halves to single elements. */
function* chunks(length: number): Generator<readonly [from: number, to: number], void, undefined> {
  for (let size = Math.ceil(length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < length; from += size) yield [from, Math.min(from + size, length)];
}

function* withoutConnections(scenario: Scenario): Generator<Scenario, void, undefined> {
  const { connections } = scenario;
  for (const [from, to] of chunks(connections.length)) {
    const gone = new Set(connections.slice(from, to).map(({ id }) => id));
    const left = connections.filter(({ id }) => !gone.has(id));
    const steps = scenario.steps.flatMap((step): Step[] => {
      if (step.do !== "connect")
        return "connection" in step && gone.has(step.connection) ? [] : [step];
      const rest = step.connections.filter((id) => !gone.has(id));
      return rest.length > 0 ? [{ ...step, connections: rest }] : [];
    });
    yield { ...scenario, connections: left, steps };
  }
}

function* withoutFlows(scenario: Scenario): Generator<Scenario, void, undefined> {
  for (const { id } of scenario.flows)
    yield {
      ...scenario,
      flows: scenario.flows.filter((flow) => flow.id !== id),
      steps: scenario.steps.filter((step) => step.do !== "datagrams" || step.flow !== id),
    };
}

/** Steps that a connection can do without. */
function isOptional({ do: what }: Step): boolean {
  return what !== "connect" && what !== "accept" && what !== "hello" && what !== "end";
}

function* withoutSteps(scenario: Scenario): Generator<Scenario, void, undefined> {
  const optional = scenario.steps.filter(isOptional);
  for (const [from, to] of chunks(optional.length)) {
    const gone = new Set(optional.slice(from, to));
    yield { ...scenario, steps: scenario.steps.filter((step) => !gone.has(step)) };
  }
}

function* withSimplerSurroundings(scenario: Scenario): Generator<Scenario, void, undefined> {
  if (scenario.links.length > 0) yield { ...scenario, links: [] };
  if (!scenario.isTogether) yield { ...scenario, isTogether: true };
  const isLate = scenario.listeners.some(({ lateMs }) => lateMs > 0);
  if (scenario.waitListenMs > 0 && !isLate && scenario.isTogether)
    yield { ...scenario, waitListenMs: 0 };
  for (const [index, listener] of scenario.listeners.entries()) {
    if (listener.lateMs > 0) yield withListener(scenario, index, { ...listener, lateMs: 0 });
    if (listener.backlog < 128) yield withListener(scenario, index, { ...listener, backlog: 128 });
    if (listener.family === 6) yield withListener(scenario, index, { ...listener, family: 4 });
  }
  const last = scenario.containers.length - 1;
  if (last > 1 && !isUsed(scenario, last))
    yield { ...scenario, containers: scenario.containers.slice(0, last) };
}

function withListener(scenario: Scenario, index: number, listener: Listener): Scenario {
  return { ...scenario, listeners: scenario.listeners.with(index, listener) };
}

function isUsed({ connections, listeners, flows, steps }: Scenario, container: number): boolean {
  return (
    listeners.some((one) => one.container === container) ||
    connections.some(({ client }) => client.container === container) ||
    flows.some((one) => one.client.container === container || one.server.container === container) ||
    steps.some((step) => "container" in step && step.container === container)
  );
}

function* withSimplerSteps(scenario: Scenario): Generator<Scenario, void, undefined> {
  for (const [index, step] of scenario.steps.entries())
    for (const simpler of simplerSteps(step))
      yield { ...scenario, steps: scenario.steps.toSpliced(index, 1, ...simpler) };
}

/** What may take a step's place. */
function simplerSteps(step: Step): (readonly Step[])[] {
  switch (step.do) {
    case "connect":
      return step.connections.length > 1
        ? [step.connections.map((id) => ({ do: "connect" as const, connections: [id] }))]
        : [];
    case "transfer": {
      const { write, read, ...plain } = step;
      const isPlain = write === undefined && read === undefined;
      return [
        ...(isPlain ? [] : [[plain]]),
        ...smaller(step.bytes).map((bytes) => [{ ...step, bytes }]),
      ];
    }
    case "write":
      return smaller(step.bytes).map((bytes) => [{ ...step, bytes }]);
    case "rounds":
      return smaller(step.count).map((count) => [{ ...step, count }]);
    case "duplex":
      return smaller(Math.max(step.clientBytes, step.serverBytes)).map((most) => [
        {
          ...step,
          clientBytes: Math.min(step.clientBytes, most),
          serverBytes: Math.min(step.serverBytes, most),
        },
      ]);
    case "datagrams":
      return [
        ...smaller(step.count).map((count) => [{ ...step, count }]),
        ...smaller(step.bytes).map((bytes) => [{ ...step, bytes }]),
      ];
    case "end":
      return step.ending.how === "close" ? [] : [[{ ...step, ending: { how: "close" } }]];
    default:
      return [];
  }
}

function smaller(value: number): number[] {
  return [...new Set([1, Math.floor(value / 10), Math.floor(value / 2)])].filter(
    (one) => one >= 1 && one < value,
  );
}

function* withSimplerConnections(scenario: Scenario): Generator<Scenario, void, undefined> {
  for (const [index, connection] of scenario.connections.entries()) {
    const { localPort, ...free } = connection;
    if (localPort !== undefined) yield withConnection(scenario, index, free);
    if (connection.serverThread > 0)
      yield withConnection(scenario, index, { ...connection, serverThread: 0 });
    const client = { ...connection.client, thread: 0 };
    if (connection.client.thread > 0)
      yield withConnection(scenario, index, { ...connection, client });
    if (!connection.noDelay)
      yield withConnection(scenario, index, { ...connection, noDelay: true });
  }
}

function withConnection(scenario: Scenario, index: number, connection: Connection): Scenario {
  return { ...scenario, connections: scenario.connections.with(index, connection) };
}
