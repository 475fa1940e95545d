/** The option `--ready`: when a container counts as ready for connections. */
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { ReadyCheck } from "../../record/readiness.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";

interface ReadyFlags {
  readonly ready?: readonly string[];
  readonly raw?: boolean;
}

/** Parses `NAME=COMMAND` and `NAME=/REGEX/`. */
export function parseReady(
  { ready = [], raw }: ReadyFlags,
  containers: readonly ContainerPlan[],
): readonly ReadyCheck[] {
  const names = containers.map(({ name }) => name);
  const checks = ready.map((text) => parseOne(text, names));
  if (raw === true && checks.some((check) => "line" in check))
    throw new UsageError("--ready with /regex/ looks at lines, which --raw does not make");
  const doubled = checks.find((check, i) =>
    checks.slice(0, i).some(({ container }) => container === check.container),
  );
  if (doubled === undefined) return checks;
  throw new UsageError(`--ready names '${names[doubled.container]}' twice`);
}

function parseOne(text: string, names: readonly string[]): ReadyCheck {
  const [, name = "", check = ""] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
  const container = indexOfName(names, name);
  if (check === "") throw new UsageError(`--ready '${text}' is not NAME=COMMAND or NAME=/REGEX/`);
  if (container === undefined)
    throw new UsageError(
      `--ready: there is no container '${name}' (there are ${names.join(", ")})`,
    );
  const [, source] = /^\/(.+)\/$/s.exec(check) ?? [];
  if (source === undefined) return { container, command: check };
  try {
    return { container, line: new RegExp(source, "u") };
  } catch (error) {
    throw new UsageError(`--ready: ${(error as Error).message}`);
  }
}
