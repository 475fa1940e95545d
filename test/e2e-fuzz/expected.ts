/**
 * What a dump must hold of a scenario: every connection, byte and datagram, and how each connection
 * ended.
 */
import { preamble } from "./bytes.ts";
import { carriedBy } from "./parts.ts";
import {
  type Connection,
  type Ending,
  listenerOf,
  opposite,
  type Scenario,
  type Side,
  type Step,
} from "./scenario.ts";

export interface ExpectedStream {
  readonly leastBytes: number;
  readonly mostBytes: number;
  /** How it ends: `over` by an end, a reset, or not at all, if the other side resets. */
  readonly end: "end" | "reset" | "none" | "over";
}

export interface ExpectedConnection {
  readonly connection: Connection;
  readonly streams: Readonly<Record<Side, ExpectedStream>>;
}

export interface ExpectedDump {
  /** In the order in which their clients opened them, as far as they are on one thread. */
  readonly connections: readonly ExpectedConnection[];
  readonly refusedCount: number;
  /** How many datagrams, by flow and sender: "0 client". */
  readonly datagrams: ReadonlyMap<string, number>;
}

export function expectedDump(scenario: Scenario): ExpectedDump {
  const carried = carriedBy(scenario);
  const opened = scenario.steps.flatMap((step) => (step.do === "connect" ? step.connections : []));
  const byId = new Map(scenario.connections.map((one) => [one.id, one]));
  const connections = opened.flatMap((id): ExpectedConnection[] => {
    const [connection, both] = [byId.get(id), carried.get(id)];
    if (!connection || !both) return [];
    const stream = (side: Side): ExpectedStream =>
      expectedStream(scenario, connection, side, both[side].written);
    return [{ connection, streams: { client: stream("client"), server: stream("server") } }];
  });
  const refusedCount = scenario.steps.filter((step) => step.do === "refused").length;
  return { connections, refusedCount, datagrams: datagramsOf(scenario) };
}

function expectedStream(
  scenario: Scenario,
  connection: Connection,
  side: Side,
  written: number,
): ExpectedStream {
  const { by, ending } = endOf(scenario, connection.id);
  const greeting = preamble(listenerOf(scenario, connection), connection, side).length;
  const mostBytes = greeting + written;
  if (ending.how === "cancel") {
    const unread = side === opposite(by) ? ending.limitBytes - ending.readBytes : 0;
    return { leastBytes: mostBytes - unread, mostBytes, end: "over" };
  }
  return {
    leastBytes: mostBytes,
    mostBytes,
    end: endOfStream(scenario, connection, side, by, ending),
  };
}

function endOfStream(
  scenario: Scenario,
  connection: Connection,
  side: Side,
  by: Side,
  ending: Ending,
): ExpectedStream["end"] {
  if (ending.how !== "reset") return "end";
  if (side === by) return "reset";
  const isEnded = scenario.steps.some(
    (step) => step.do === "halfClose" && step.connection === connection.id && step.from === side,
  );
  return isEnded ? "end" : "none";
}

function endOf(scenario: Scenario, id: number): { readonly by: Side; readonly ending: Ending } {
  const end = scenario.steps.find(
    (step): step is Extract<Step, { readonly do: "end" }> =>
      step.do === "end" && step.connection === id,
  );
  if (!end) throw new Error(`connection ${id} does not end`);
  return end;
}

function datagramsOf(scenario: Scenario): Map<string, number> {
  const counts = new Map<string, number>();
  for (const step of scenario.steps) {
    if (step.do !== "datagrams") continue;
    const key = `${step.flow} ${step.from}`;
    counts.set(key, (counts.get(key) ?? 0) + step.count);
  }
  return counts;
}
