/**
 * Seeded randomness of a run's commands: their seccomp filter, and the supervisor that answers it.
 */
import { readlinkSync } from "node:fs";
import type { ContainerIndex } from "../base/ids.ts";
import type { Fd } from "../base/units.ts";
import type { Namespace } from "../sys/namespace.ts";
import { describeGap, type Gap } from "./core/gaps.ts";
import { architectureOf } from "./core/architecture.ts";
import { type Answered, filterProgram } from "./core/filter.ts";
import type { SupervisorHost } from "./supervisor-host.ts";
import type { ContainerName, RecordedClock } from "./supervisor-task.ts";

/** The filter for commands on this machine; undefined if plg does not know its processor. */
export function commandFilter(answered: Answered): Uint8Array | undefined {
  const architecture = architectureOf(process.arch);
  return architecture && filterProgram(architecture, answered);
}

/** A container and its network, which identifies its processes. */
export interface Place extends ContainerName {
  readonly network: Namespace;
}

/**
 * The sources of plg's answers to commands. If the kernel answers random bytes, plg needs the seed
 * only internally.
 */
export interface Sources {
  readonly seed: number;
  readonly clock: RecordedClock | undefined;
  readonly device: Fd | undefined;
}

/** The reasons among `gaps` why a container's random bytes may differ from the recorded ones. */
export function gapsOf(
  container: ContainerIndex,
  gaps: readonly Gap[],
  device: Fd | undefined,
): readonly string[] {
  const found = gaps.filter((gap) => gap.container === container).map(describeGap);
  if (device !== undefined) return found;
  return [...found, "/dev/urandom is the kernel's, because plg may not open /dev/fuse"];
}

/** Makes `supervisor` answer the notifications of a filter's listener until it is closed. */
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
