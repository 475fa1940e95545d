/** The result of an import. */
import type { ContainerInfo } from "../../dump/format/schema.ts";
import type { Findings } from "./findings.ts";

/** A capture that was not readable to its end. */
export interface CutCapture {
  readonly path: string;
  readonly position: number;
  readonly what: string;
}

/** The clock of one capture. */
interface ComparedClock {
  readonly path: string;
  /** The capture it was compared with; undefined for the first, and if they share no connection. */
  readonly comparedWith: number | undefined;
  readonly fit:
    | { readonly offsetNs: number; readonly drift: number; readonly toleranceNs: number }
    | undefined;
  /** The number of bounds from packets. */
  readonly bounds: number;
}

export interface ImportResult {
  readonly containers: readonly ContainerInfo[];
  /** By host number: the address as text. */
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
  /** The differences between the captures' clocks, in capture order; the first is the reference. */
  readonly clocks: readonly ComparedClock[];
  /** The file with the TLS keys from the captures. */
  readonly keysFile: string | undefined;
}
