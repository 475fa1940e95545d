/** The option `--needs`: a command starts when the servers that it needs listen. */
import type { ContainerIndex } from "../../base/ids.ts";
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { Need } from "../../record/needs.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";

interface NeedsFlags {
  readonly needs?: readonly string[];
}

const mostPort = 65_535;

/** Parses `NAME=SERVER:PORT`. Throws a {@link UsageError} for commands that wait for each other. */
export function parseNeeds(
  { needs: texts = [] }: NeedsFlags,
  containers: readonly ContainerPlan[],
): readonly Need[] {
  const names = containers.map(({ name }) => name);
  const needs = texts.map((text) => parseOne(text, names));
  const stuck = names.find((_, container) => waitsForItself(container, needs));
  if (stuck === undefined) return needs;
  throw new UsageError(`--needs: '${stuck}' waits for itself, so it would never start`);
}

function parseOne(text: string, names: readonly string[]): Need {
  const [, name = "", server = "", digits] = /^([^=]+)=(.+):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port > 0 && port <= mostPort))
    throw new UsageError(`--needs '${text}' is not NAME=SERVER:PORT, as in client=server:80`);
  return { container: indexIn(names, name), server: indexIn(names, server), port };
}

function indexIn(names: readonly string[], name: string): ContainerIndex {
  const index = indexOfName(names, name);
  if (index !== undefined) return index;
  throw new UsageError(`--needs: there is no container '${name}' (there are ${names.join(", ")})`);
}

function waitsForItself(container: ContainerIndex, needs: readonly Need[]): boolean {
  const reached = new Set<number>();
  const open = [container];
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const need of needs)
      if (need.container === at && !reached.has(need.server)) {
        reached.add(need.server);
        open.push(need.server);
      }
  return reached.has(container);
}
