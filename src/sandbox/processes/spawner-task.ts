/** What the main thread and the spawner's thread agree on. */
import type { Fd } from "../../base/units.ts";
import type { Namespace } from "../../sys/namespace.ts";

export interface SpawnerTask {
  /** The seccomp filter that commands run under; undefined for none. */
  readonly filter: Uint8Array | undefined;
}

/** The namespaces that a program starts in. */
export interface Surroundings {
  /** The caller's own if undefined. */
  readonly network: Namespace | undefined;
  /** The program gets a copy. */
  readonly mounts: Namespace;
  readonly pids: Namespace;
}

/** A program to start, and where. */
export interface SpawnRequest extends Surroundings {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** From the main thread. `id` is the sender's own; the descriptors become the program's output. */
export interface SpawnOrder extends SpawnRequest {
  readonly id: number;
  readonly stdout: Fd;
  readonly stderr: Fd;
}

/** Why a program was not started. */
export interface SpawnFailure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly errno?: number | undefined;
  /** What could not be executed; undefined if it did not come to that. */
  readonly path?: string | undefined;
}

export type SpawnerNotice =
  /** `listener`: where the filter's notifications come; `refusal`: why there is no filter. */
  | { readonly type: "ready"; readonly listener?: Fd; readonly refusal?: string }
  | { readonly type: "started"; readonly id: number; readonly pid: number }
  | { readonly type: "failed"; readonly id: number; readonly failure: SpawnFailure }
  /** The kernel did not even make a process. */
  | { readonly type: "refused"; readonly id: number; readonly failure: SpawnFailure }
  | {
      readonly type: "ended";
      readonly id: number;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
    };
