/** The events of a capture: the interface between tracking and its consumers. */
import type { Family } from "../../base/units.ts";

/** One end of a connection. */
export interface TrackedEnd {
  /** The number from {@link HostTable}. */
  readonly host: number;
  readonly port: number;
}

/** A connection, as events refer to it. */
export interface TrackedConnection {
  /** From 1, in the order of the `connect` events. */
  readonly number: number;
  readonly family: Family;
  readonly client: TrackedEnd;
  readonly server: TrackedEnd;
}

/**
 * Takes the events of a capture in a causal order. `missingBytes` bytes of the direction, which the
 * capture lacks, precede the event. Times are in nanoseconds since the tracker's epoch. Bytes are
 * valid during the call.
 */
export interface CaptureSink {
  connect(connection: TrackedConnection, atNs: number): void;
  accept(connection: TrackedConnection, atNs: number): void;
  refuse(connection: TrackedConnection, atNs: number): void;
  data(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void;
  end(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    atNs: number,
  ): void;
  reset(
    connection: TrackedConnection,
    isFromClient: boolean,
    missingBytes: number,
    atNs: number,
  ): void;
  /** An IP packet that is not TCP. `receiver` is undefined if it is not for a single host. */
  packet(
    sender: number,
    receiver: number | undefined,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void;
}
