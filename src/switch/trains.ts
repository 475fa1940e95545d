/**
 * Passes trains of datagrams. A train goes from device to device in one piece, but each datagram is
 * recorded by itself, as it would appear on a wire. If some of them cannot be recorded, the others
 * are delivered one by one.
 */
import { DatagramTrain } from "../net/datagram-train.ts";
import type { PacketView } from "../net/packet.ts";
import { virtioNetHeaderBytes } from "../sys/abi.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";

/** Decides whether to deliver a datagram. `bytes` is valid during the call only. */
export type OnDatagram = (bytes: Uint8Array, at: number, lengthBytes: number) => boolean;

/** The offset of `gso_size` in `struct virtio_net_hdr`, in the machine's byte order. */
const gsoSizeAt = 4;
/** An upper bound of a train's length: each datagram has at least one byte of payload. */
const mostDatagrams = 0x1_0000;

export class Trains {
  readonly #train = new DatagramTrain();
  /** A virtio header of zeros, followed by a datagram. */
  readonly #frame = allocateRegion(virtioNetHeaderBytes + 0x1_0000);
  readonly #isWanted = new Uint8Array(mostDatagrams);

  /** Parses the train in `bytes`, behind its virtio header. Returns false if it is not a train. */
  parse(bytes: Uint8Array, view: PacketView): boolean {
    const gsoSize = (bytes[gsoSizeAt] ?? 0) + 256 * (bytes[gsoSizeAt + 1] ?? 0);
    return this.#train.parse(bytes, view, gsoSize);
  }

  /** Shows each datagram to `onDatagram`. Returns whether all are to be delivered, as one train. */
  show(onDatagram: OnDatagram): boolean {
    const { bytes } = this.#frame;
    let unwanted = 0;
    for (let i = 0; i < this.#train.count; i++) {
      const lengthBytes = this.#train.write(bytes, virtioNetHeaderBytes, i);
      const isWanted = onDatagram(bytes, virtioNetHeaderBytes, lengthBytes);
      this.#isWanted[i] = isWanted ? 1 : 0;
      if (!isWanted) unwanted++;
    }
    return unwanted === 0;
  }

  /** Delivers the accepted datagrams one by one, each in its own frame. */
  deliverWanted(deliver: (frame: Region, frameBytes: number) => void): void {
    for (let i = 0; i < this.#train.count; i++) {
      if (this.#isWanted[i] === 0) continue;
      const lengthBytes = this.#train.write(this.#frame.bytes, virtioNetHeaderBytes, i);
      deliver(this.#frame, virtioNetHeaderBytes + lengthBytes);
    }
  }
}
