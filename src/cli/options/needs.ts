/** The option `--needs`: a command starts when the servers that it needs listen. */
import { needsOf } from "../../api/needs.ts";
import { UsageError } from "../../base/errors.ts";
import type { Need } from "../../record/needs.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";

interface NeedsFlags {
  readonly needs?: readonly string[];
}

/** Parses `NAME=SERVER:PORT`. Throws a {@link UsageError} for commands that wait for each other. */
export function parseNeeds(
  { needs: texts = [] }: NeedsFlags,
  containers: readonly ContainerPlan[],
): readonly Need[] {
  const parts = texts.map((text) => {
    const [, name, server] = /^([^=]+)=(.+:\d{1,5})$/.exec(text) ?? [];
    if (name !== undefined && server !== undefined) return { name, server };
    throw new UsageError(`'${text}' is not NAME=SERVER:PORT, as in client=server:80`, {
      argument: "needs",
    });
  });
  return needsOf(parts, containers);
}
