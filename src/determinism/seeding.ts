/** Seeded randomness of a run's commands: the filter that they start under, and the supervisor that answers. */
import { readlinkSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import type { Namespace } from "../sys/namespace.ts";
import { architectureOf } from "./core/architecture.ts";
import { type Answered, filterProgram } from "./core/filter.ts";
import type { SupervisorHost } from "./supervisor-host.ts";
import type { ContainerName, RecordedClock } from "./supervisor-task.ts";

/** The filter for commands on this machine; undefined if its processor is none that plg knows. */
export function commandFilter(answered: Answered): Uint8Array | undefined {
  const architecture = architectureOf(process.arch);
  return architecture && filterProgram(architecture, answered);
}

/** A container and its network, by which its processes are known. */
export interface Place extends ContainerName {
  readonly network: Namespace;
}

/** What commands get from plg; where they get it from the kernel, the seed is for plg's own use. */
export interface Sources {
  readonly seed: number;
  readonly clock: RecordedClock | undefined;
  readonly device: Fd | undefined;
}

/** Has `supervisor` answer what comes from the listener of a filter, until it is closed. */
export function supervise(
  supervisor: SupervisorHost,
  listener: Fd,
  sources: Sources,
  places: readonly Place[],
): void {
  const containers = new Map(
    places.map(({ index, name, network }) => [
      readlinkSync(`/proc/self/fd/${network.fd}`),
      { index, name },
    ]),
  );
  supervisor.supervise({ listener, ...sources, containers });
}
