/** The kinds of replay, and which of them must be without a difference. */
import type { Chance } from "./chance.ts";
import { type Identify, nameOf, type Scenario } from "./scenario.ts";

export interface Way {
  readonly args: readonly string[];
  /** The containers that are live. */
  readonly live: readonly number[];
  /** Whether a difference is a finding; it always is one if plg hangs or breaks. */
  readonly isStrict: boolean;
}

/** What findings call it. */
export function stageOf({ args }: Way): string {
  return ["replay", ...args].join(" ");
}

/** These are live, and the others are played. */
function only(...live: readonly number[]): Way {
  return { args: [`--only=${live.map(nameOf).join(",")}`], live, isStrict: true };
}

/** All kinds of replay. */
export function allWays(scenario: Scenario): Way[] {
  const everybody = scenario.containers.map((_count, container) => container);
  const all = (...args: readonly string[]): Way => ({ args, live: everybody, isStrict: true });
  const pair = everybody.length > 2 ? [only(0, everybody.length - 1)] : [];
  return [
    all(),
    ...everybody.map((container) => only(container)),
    ...pair,
    { ...all("--order=global"), isStrict: !hasLogins(scenario) },
    { ...all("--order=connection"), isStrict: !dependsOnOrder(scenario) },
    { ...all("--flood"), isStrict: standsFlood(scenario) },
    all("--speed=1"),
    all("--speed=10"),
  ];
}

/** Everybody, one alone, and some others. */
export function someWays(scenario: Scenario, chance: Chance): Way[] {
  const [everybody, ...others] = allWays(scenario);
  const alone = others.filter(({ live }) => live.length === 1);
  const rest = others.filter(({ live }) => live.length > 1);
  const first = chance.oneOf(rest);
  const second = chance.oneOf(rest.filter((way) => way !== first));
  return [...(everybody ? [everybody] : []), chance.oneOf(alone), first, second];
}

/** A server that knows its clients by the order in which they come needs that order. */
function dependsOnOrder(scenario: Scenario): boolean {
  return hasSeveralBy("order", scenario);
}

/**
 * Only the second question tells connections apart that log in alike, so exchanges move. In the
 * global order they do not (docs/replay.md).
 */
function hasLogins(scenario: Scenario): boolean {
  return hasSeveralBy("login", scenario);
}

function hasSeveralBy(how: Identify, { listeners, connections }: Scenario): boolean {
  return listeners.some(
    ({ identify }, index) =>
      identify === how && connections.filter(({ listener }) => listener === index).length > 1,
  );
}

/**
 * With --flood a reset follows at once what was sent before it, a port is used again before it is
 * free, and datagrams overrun who receives them.
 */
function standsFlood(scenario: Scenario): boolean {
  const isSafe = scenario.steps.every(
    (step) => step.do !== "end" || step.ending.how === "close" || step.ending.how === "together",
  );
  const ports = scenario.connections.flatMap(({ localPort, client }) =>
    localPort === undefined ? [] : [`${client.container} ${localPort}`],
  );
  const isFreshPorts = new Set(ports).size === ports.length;
  return isSafe && isFreshPorts && scenario.flows.length === 0 && !dependsOnOrder(scenario);
}
