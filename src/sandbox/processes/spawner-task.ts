/** The messages between the main thread and the spawner's thread. */
import type { Fd } from "../../base/units.ts";
import type { Namespace } from "../../sys/namespace.ts";

export interface SpawnerTask {
  /** The seccomp filter of the commands; undefined for none. */
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

/** A program to start, and its surroundings. */
export interface SpawnRequest extends Surroundings {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Sent by the main thread. `id` is the sender's; the descriptors become the program's output. */
export interface SpawnOrder extends SpawnRequest {
  readonly id: number;
  readonly stdout: Fd;
  readonly stderr: Fd;
}

/** Why a program did not start. */
export interface SpawnFailure {
  readonly message: string;
  readonly code?: string | undefined;
  readonly errno?: number | undefined;
  /** The file that could not be executed; undefined if the attempt failed earlier. */
  readonly path?: string | undefined;
}

export type SpawnerNotice =
  /** `listener` receives the filter's notifications; `refusal` says why there is no filter. */
  | { readonly type: "ready"; readonly listener?: Fd; readonly refusal?: string }
  | { readonly type: "started"; readonly id: number; readonly pid: number }
  | { readonly type: "failed"; readonly id: number; readonly failure: SpawnFailure }
  /** The kernel created no process. */
  | { readonly type: "refused"; readonly id: number; readonly failure: SpawnFailure }
  | {
      readonly type: "ended";
      readonly id: number;
      readonly exitCode: number | null;
      readonly signal: NodeJS.Signals | null;
    };
