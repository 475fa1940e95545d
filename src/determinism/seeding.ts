/** Seeded randomness of a run's commands: the filter that they start under, and the supervisor that answers. */
import { readlinkSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import type { Namespace } from "../sys/namespace.ts";
import { architectureOf } from "./core/architecture.ts";
import { filterProgram } from "./core/filter.ts";
import { SupervisorHost } from "./supervisor-host.ts";

/** The filter for commands on this machine; undefined if its processor is none that plg knows. */
export function commandFilter(): Uint8Array | undefined {
  const architecture = architectureOf(process.arch);
  return architecture && filterProgram(architecture);
}

/** A container's name and its network, by which its processes are known. */
export interface Place {
  readonly name: string;
  readonly network: Namespace;
}

/** Answers what comes from the listener of a filter, until it is closed. */
export function supervise(listener: Fd, seed: number, places: readonly Place[]): SupervisorHost {
  const containers = new Map(
    places.map(({ name, network }) => [readlinkSync(`/proc/self/fd/${network.fd}`), name]),
  );
  return new SupervisorHost({ listener, seed, containers });
}
