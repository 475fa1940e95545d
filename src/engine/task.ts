/** The protocol between the main thread and the engine thread. */
import type { ContainerIndex } from "../base/ids.ts";
import type { Fd } from "../base/units.ts";
import type { LinkSetup } from "../switch/core/link-plan.ts";
import type { Namespace } from "../sys/namespace.ts";

/** The parameters of an engine thread. All threads share descriptors, so their numbers suffice. */
export interface EngineTask {
  readonly pipeNamespace: Namespace;
  readonly pipeTun: Fd;
  /** The containers' networks, by index; undefined for a container that only exists in the dump. */
  readonly namespaces: readonly (Namespace | undefined)[];
  /** The containers' devices, likewise. */
  readonly tuns: readonly (Fd | undefined)[];
  /** In CIDR notation. */
  readonly subnets: readonly string[];
  /** The links between the containers, if any. */
  readonly links: LinkSetup | undefined;
  /** Signaled when there is a message for the engine, or room in the dump. */
  readonly wakeup: Fd;
  /** A Float64Array indexed by {@link Counter}, which only the engine writes. */
  readonly counters: SharedArrayBuffer;
  /** The start of the run, in nanoseconds of `process.hrtime.bigint()`. */
  readonly startHrNs: bigint;
  /** A mount of /proc that lists the run's processes. */
  readonly procPath: string;
}

/** Indices of the counters. */
export const Counter = {
  connections: 0,
  open: 1,
  bytes: 2,
  packets: 3,
  /** The switch's counts, noted when it is done. */
  sentOverLinks: 4,
  lostOnLinks: 5,
  malformed: 6,
  foreign: 7,
  refused: 8,
  /** Packets dropped because the dump had no room. */
  unrecorded: 9,
  size: 10,
} as const;

/** From the engine to the main thread. Each kind of engine adds its own messages. */
export type EngineNotice =
  | { readonly type: "ready" }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "done"; readonly result?: unknown };

/**
 * From the main thread to the engine. `finish`: all processes are gone; finish and stop. `gone`:
 * this container has no process left.
 */
export type EngineOrder =
  | { readonly type: "finish" }
  | { readonly type: "gone" | "ready"; readonly container: ContainerIndex };
