/**
 * The first of two passes over the captures: finds the hosts that take part, and the time span.
 * Pure.
 */
import type { CaptureSink, TrackedConnection } from "../track/sink.ts";

/** Takes the events and keeps only the facts for the dump's header and the summary. */
export class Survey implements CaptureSink {
  /** Hosts with connections or packets. */
  readonly hosts: Set<number> = new Set<number>();
  bytes = 0;
  connections = 0;

  connect(connection: TrackedConnection): void {
    this.connections++;
    this.hosts.add(connection.client.host);
    this.hosts.add(connection.server.host);
  }

  accept(): void {}

  refuse(): void {}

  data(
    _connection: TrackedConnection,
    _isFromClient: boolean,
    _missingBytes: number,
    _bytes: Uint8Array,
    _from: number,
    lengthBytes: number,
  ): void {
    this.bytes += lengthBytes;
  }

  end(): void {}

  reset(): void {}

  packet(sender: number, receiver: number | undefined): void {
    this.hosts.add(sender);
    if (receiver !== undefined) this.hosts.add(receiver);
  }
}
