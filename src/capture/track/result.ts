/** What an import came to. */
import type { ContainerInfo } from "../../dump/format/schema.ts";
import type { Findings } from "./findings.ts";

/** A capture that could not be read to its end. */
export interface CutCapture {
  readonly path: string;
  readonly position: number;
  readonly what: string;
}

export interface ImportResult {
  readonly containers: readonly ContainerInfo[];
  /** By host number: the address as text, and the container or -1. */
  readonly addresses: readonly string[];
  readonly containerOf: Int32Array;
  readonly frames: number;
  readonly connections: number;
  readonly packets: number;
  readonly bytes: number;
  readonly durationNs: number;
  readonly writtenBytes: number;
  readonly findings: Findings;
  readonly cut: readonly CutCapture[];
  /** The file with the TLS keys that the captures carried. */
  readonly keysFile: string | undefined;
}
