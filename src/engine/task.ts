/** What the main thread and the engine's thread agree on. */
import type { Fd } from "../base/units.ts";
import type { LinkSetup } from "../switch/core/link-plan.ts";
import type { Namespace } from "../sys/namespace.ts";

/** What an engine thread is started with. Descriptors are the process's, so numbers are enough. */
export interface EngineTask {
  readonly pipeNamespace: Namespace;
  readonly pipeTun: Fd;
  /** The containers' networks, by index. */
  readonly namespaces: readonly Namespace[];
  /** The containers' devices, by index. */
  readonly tuns: readonly Fd[];
  /** In CIDR notation. */
  readonly subnets: readonly string[];
  /** What lies between the containers, if anything was asked for. */
  readonly links: LinkSetup | undefined;
  /** Signalled when there is a message for the engine, or room in the dump. */
  readonly wakeup: Fd;
  /** A Float64Array by {@link Counter}, written by the engine alone. */
  readonly counters: SharedArrayBuffer;
  /** When the run began, in nanoseconds of `process.hrtime.bigint()`. */
  readonly startHrNs: bigint;
}

/** Places in the counters. */
export const Counter = {
  connections: 0,
  open: 1,
  bytes: 2,
  packets: 3,
  /** Of the switch, noted when it is done. */
  sentOverLinks: 4,
  lostOnLinks: 5,
  malformed: 6,
  foreign: 7,
  refused: 8,
  /** Dropped because the dump had no room for them. */
  unrecorded: 9,
  size: 10,
} as const;

/** From the engine to the main thread, besides what the kind of engine adds. */
export type EngineNotice =
  | { readonly type: "ready" }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "done"; readonly result?: unknown };

/**
 * From the main thread to the engine. `finish`: the processes are gone; finish what is under way and
 * stop. `gone`: the process of this container has ended, and nothing of it is left.
 */
export type EngineOrder =
  | { readonly type: "finish" }
  | { readonly type: "gone"; readonly container: number };
