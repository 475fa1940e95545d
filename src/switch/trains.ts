/**
 * Trains of datagrams in the switch. A train goes from device to device in one piece, as it came; recorded is
 * each of its datagrams, as it would be on a wire. Where some of them cannot be recorded, those that were are
 * delivered one by one.
 */
import { DatagramTrain } from "../net/datagram-train.ts";
import type { PacketView } from "../net/packet.ts";
import { virtioNetHeaderBytes } from "../sys/abi.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";

/** Says whether a datagram, which lies in `bytes` during the call, is to be delivered. */
export type OnDatagram = (bytes: Uint8Array, at: number, lengthBytes: number) => boolean;

/** Where `struct virtio_net_hdr` has the size of what a packet is to be cut into, in the machine's byte order. */
const gsoSizeAt = 4;
/** More than a train can have: each has a byte of payload at least. */
const mostDatagrams = 0x1_0000;

export class Trains {
  readonly #train = new DatagramTrain();
  /** A virtio header of zeros, and a datagram behind it. */
  readonly #frame = allocateRegion(virtioNetHeaderBytes + 0x1_0000);
  readonly #isWanted = new Uint8Array(mostDatagrams);

  /** Takes the train in `bytes`, behind its virtio header. False if it is none. */
  parse(bytes: Uint8Array, view: PacketView): boolean {
    const gsoSize = (bytes[gsoSizeAt] ?? 0) + 256 * (bytes[gsoSizeAt + 1] ?? 0);
    return this.#train.parse(bytes, view, gsoSize);
  }

  /** Shows each datagram to `onDatagram`. Returns whether all are to be delivered: then the train as it is. */
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

  /** Delivers those one by one that are to be delivered, each in a frame of its own. */
  deliverWanted(deliver: (frame: Region, frameBytes: number) => void): void {
    for (let i = 0; i < this.#train.count; i++) {
      if (this.#isWanted[i] === 0) continue;
      const lengthBytes = this.#train.write(this.#frame.bytes, virtioNetHeaderBytes, i);
      deliver(this.#frame, virtioNetHeaderBytes + lengthBytes);
    }
  }
}
