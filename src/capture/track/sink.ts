/** What a capture tells, event by event: the interface between tracking and whoever keeps it. */
import type { Family } from "../../base/units.ts";

/** One end of a connection. */
export interface TrackedEnd {
  /** As {@link HostTable} numbers it. */
  readonly host: number;
  readonly port: number;
}

/** A connection, as events mention it. */
export interface TrackedConnection {
  /** From 1, in the order of the `connect` events. */
  readonly number: number;
  readonly family: Family;
  readonly client: TrackedEnd;
  readonly server: TrackedEnd;
}

/**
 * Takes the events of a capture in an order that causality allows. `missingBytes` bytes of the direction
 * stand before the event and are not in the capture. Times are in nanoseconds since the tracker's epoch;
 * bytes are good during the call.
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
  /** An IP packet that is not TCP. `receiver` is undefined if it went to no single host. */
  packet(
    sender: number,
    receiver: number | undefined,
    bytes: Uint8Array,
    from: number,
    lengthBytes: number,
    atNs: number,
  ): void;
}
