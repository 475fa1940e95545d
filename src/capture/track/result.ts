/** What an import came to. */
import type { ContainerInfo } from "../../dump/format/schema.ts";
import type { Findings } from "./findings.ts";

/** A capture that could not be read to its end. */
export interface CutCapture {
  readonly path: string;
  readonly position: number;
  readonly what: string;
}

/** The clock of one capture. */
interface ComparedClock {
  readonly path: string;
  /** Compared with which other capture: undefined for the first, and where they share nothing. */
  readonly comparedWith: number | undefined;
  readonly fit:
    | { readonly offsetNs: number; readonly drift: number; readonly toleranceNs: number }
    | undefined;
  /** By how many packets. */
  readonly bounds: number;
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
  /** How the captures' clocks differ, in their order; the first is the reference. */
  readonly clocks: readonly ComparedClock[];
  /** The file with the TLS keys that the captures carried. */
  readonly keysFile: string | undefined;
}
