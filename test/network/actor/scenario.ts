import type { Family } from "../../../src/base/units.ts";
import type { Stage } from "./stage.ts";

/** How the two hosts are connected. */
export type Network = "veth" | "record" | "replay";

/** What a process sees otherwise in a run of plg than over a veth pair, and why. */
export interface Difference {
  /** In this family alone. */
  readonly family?: Family;
  readonly in: readonly Exclude<Network, "veth">[];
  /** Lines over a veth pair, and what stands in their place. */
  readonly lines: Readonly<Record<string, string>>;
  readonly why: string;
}

/** Two programs, and what is known of how they fare. What they print is compared. */
export interface Scenario {
  /** One short word. */
  readonly name: string;
  /** What it is about: a row of the table. */
  readonly title: string;
  server(stage: Stage): void;
  client(stage: Stage): void;
  readonly differences?: readonly Difference[];
}

export function differencesIn(scenario: Scenario, network: Network): readonly Difference[] {
  return (scenario.differences ?? []).filter((one) => one.in.some((name) => name === network));
}
