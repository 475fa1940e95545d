/**
 * Which recorded connection is the one that a live process opens now? Pure.
 */
import type { Family, Port } from "../base/units.ts";
import type { ReportDifference } from "./differences.ts";
import type { Progress } from "./progress.ts";
import type { RecordingIndex } from "./recording.ts";

/** A connection attempt of a live process. */
export interface LiveAttempt {
  readonly family: Family;
  readonly client: number;
  readonly server: number;
  readonly serverPort: Port;
}

/**
 * What to do with an attempt.
 * `none`: the recording has no such connection; it was reported; refuse.
 * `matched`: it is `connection`: note it as connected; the schedule says when it is answered.
 * `deferred`: it may be several, all of which were accepted: accept it, and show `pending` its first bytes.
 */
export type Match =
  | { readonly type: "none" }
  | { readonly type: "matched"; readonly connection: number }
  | { readonly type: "deferred"; readonly pending: PendingMatch };

/** An accepted connection of which it is not known yet which one it is. */
export interface PendingMatch {
  readonly client: number;
  /** Takes the next bytes that the client sent. Returns the connection's number once it is known. */
  push(bytes: Uint8Array, at: number, lengthBytes: number): number | undefined;
  /**
   * Decides by what is known: the process has fallen quiet ({@link quietMs}), or ended the connection.
   */
  settle(): number;
}

/** How long nothing must have moved for a process to count as quiet. */
export const quietMs = 50;

export class Matching {
  constructor(_index: RecordingIndex, _progress: Progress, _report: ReportDifference) {}

  /** A live process asks for a connection. `windowEnd` is its schedule's. */
  attempt(_attempt: LiveAttempt, _windowEnd: number): Match {
    throw new Error("not yet");
  }

  /** Those of the live process `client` that are not decided, in the order of their attempts. A copy. */
  pendingOf(_client: number): readonly PendingMatch[] {
    return [];
  }
}
