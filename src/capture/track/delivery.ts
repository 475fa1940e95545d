/** Delivers the bytes of a connection's hosts, and notes the missing ones. */
import type { Findings } from "./findings.ts";
import type { Gap, Half } from "./half.ts";
import { distance } from "./sequence.ts";
import type { CaptureSink, TrackedConnection, TrackedEnd } from "./sink.ts";

export class Delivery {
  readonly #connection: TrackedConnection;
  readonly #sink: CaptureSink;
  readonly #findings: Findings;

  constructor(connection: TrackedConnection, sink: CaptureSink, findings: Findings) {
    this.#connection = connection;
    this.#sink = sink;
    this.#findings = findings;
  }

  /**
   * Delivers a segment of `payloadBytes` bytes. `capturedBytes` of them are in `bytes` from `from`
   * on, and the first `skipBytes` were already delivered.
   */
  bytes(
    half: Half,
    bytes: Uint8Array,
    from: number,
    capturedBytes: number,
    payloadBytes: number,
    skipBytes: number,
    atNs: number,
  ): void {
    const heldBytes = capturedBytes - skipBytes;
    if (heldBytes > 0) {
      const missingBytes = takeMissing(half);
      half.deliver(heldBytes);
      this.#sink.data(
        this.#connection,
        this.#isFromClient(half),
        missingBytes,
        bytes,
        from + skipBytes,
        heldBytes,
        atNs,
      );
    }
    const cutBytes = Math.min(payloadBytes - capturedBytes, payloadBytes - skipBytes);
    if (cutBytes > 0) this.miss(half, cutBytes, "cut off by the snapshot length");
  }

  end(half: Half, atNs: number): void {
    const missingBytes = takeMissing(half);
    half.end();
    this.#sink.end(this.#connection, this.#isFromClient(half), missingBytes, atNs);
  }

  reset(half: Half, atNs: number): void {
    this.#sink.reset(this.#connection, this.#isFromClient(half), takeMissing(half), atNs);
  }

  /** Gives up everything before `sequence`. */
  skipTo(half: Half, sequence: number): void {
    const missing = distance(sequence, half.next);
    if (missing > 0) this.miss(half, missing, "not captured");
  }

  /** Notes that the next `lengthBytes` bytes of the stream are missing, and skips them. */
  miss(half: Half, lengthBytes: number, reason: Gap["reason"]): void {
    half.gap = this.#findings.addGap(
      {
        connection: this.#connection.number,
        client: endpointOf(this.#connection.client),
        server: endpointOf(this.#connection.server),
        isFromClient: this.#isFromClient(half),
        offset: half.offset,
        lengthBytes,
        reason,
      },
      half.gap,
    );
    half.missingBytes += lengthBytes;
    half.deliver(lengthBytes);
  }

  #isFromClient(half: Half): boolean {
    return half === this.#connection.client;
  }
}

function endpointOf({ host, port }: TrackedEnd): TrackedEnd {
  return { host, port };
}

/** Returns the number of missing bytes for the next event to report, and resets it. */
function takeMissing(half: Half): number {
  const { missingBytes } = half;
  half.missingBytes = 0;
  return missingBytes;
}
