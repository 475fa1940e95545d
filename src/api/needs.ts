/** A command starts when the servers that it needs listen. */
import { indexOfName } from "../base/container-name.ts";
import type { ContainerIndex } from "../base/ids.ts";
import { UsageError } from "../base/errors.ts";
import type { Need } from "../record/needs.ts";
import type { ContainerPlan } from "../sandbox/network/topology.ts";

/** The container `name` needs a server, as `SERVER:PORT`. */
export interface NeedText {
  readonly name: string;
  readonly server: string;
}

const mostPort = 65_535;

/** Reads the needs. Throws a {@link UsageError} for commands that wait for each other. */
export function needsOf(
  texts: readonly NeedText[],
  containers: readonly ContainerPlan[],
): readonly Need[] {
  const names = containers.map(({ name }) => name);
  const needs = texts.map(({ name, server: text }) => {
    const [, server = "", digits] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
    const port = Number(digits);
    if (!(port > 0 && port <= mostPort))
      throw wrong(`'${text}' is not SERVER:PORT, as in server:80`);
    return { container: indexIn(names, name), server: indexIn(names, server), port };
  });
  const stuck = names.find((_, container) => waitsForItself(container, needs));
  if (stuck === undefined) return needs;
  throw wrong(`'${stuck}' waits for itself, so it would never start`);
}

function indexIn(names: readonly string[], name: string): ContainerIndex {
  const index = indexOfName(names, name);
  if (index !== undefined) return index;
  throw wrong(`there is no container '${name}' (there are ${names.join(", ")})`);
}

function wrong(what: string): UsageError {
  return new UsageError(what, { argument: "needs" });
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
