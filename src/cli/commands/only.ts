/** `--only`: selects the containers of a recording that run. */
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { ContainerPlan, Topology } from "../../sandbox/network/topology.ts";

/** Returns the containers named, separated by commas; all if the option is absent. */
export function parseOnly(
  only: string | undefined,
  { containers }: Topology,
): readonly ContainerPlan[] {
  if (only === undefined) return containers;
  const names = only.split(",").map((name) => name.trim());
  const recorded = containers.map(({ name }) => name);
  for (const name of names)
    if (indexOfName(recorded, name) < 0)
      throw new UsageError(
        `--only '${name}': the recording has no such container (it has ${recorded.join(", ")})`,
      );
  return containers.filter(({ name }) => indexOfName(names, name) >= 0);
}
