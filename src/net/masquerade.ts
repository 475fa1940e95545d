/**
 * Stateless masquerading. In the pipe space a packet from A to B must arrive at a local socket, yet
 * show A as its peer. So on the way in, the destination's network is exchanged for the pipe network
 * (10.0.0.2 becomes 240.0.0.2, which is local there), and on the way out the source's is exchanged
 * back. Host bits stay. The exchange is an XOR with the difference of the two networks: one constant,
 * no table, and its own inverse. Checksums follow by RFC 1624; the payload is not looked at.
 */

import { assert } from "../base/assert.ts";
import { updateChecksum, updatePartialChecksum, wordDelta } from "./checksum.ts";
import { IPPROTO_TCP, ipv4ChecksumOffset, type PacketView, tcpChecksumOffset } from "./packet.ts";
import type { Subnet } from "./subnet.ts";
import { read16, write16 } from "./wire.ts";

/** Exchanges addresses between a subnet and its pipe network, for TCP packets of the subnet's family. */
export class Masquerade {
  /** The XOR of the two networks, in 16-bit words as checksums count. Words that only hold host bits are left off. */
  readonly #difference: Uint16Array;

  constructor(subnet: Subnet, pipeNetwork: Subnet) {
    assert(
      subnet.family === pipeNetwork.family && subnet.prefixBits === pipeNetwork.prefixBits,
      `${subnet.toString()} and ${pipeNetwork.toString()} have the same shape`,
    );
    this.#difference = Uint16Array.from(
      { length: Math.ceil(subnet.prefixBits / 16) },
      (_, i) => read16(subnet.network, 2 * i) ^ read16(pipeNetwork.network, 2 * i),
    );
  }

  /**
   * Rewrites in place the destination of the parsed packet in `bytes`. `partialChecksum` says that the
   * TCP checksum field holds the pseudo-header's sum only (virtio `NEEDS_CSUM`).
   */
  towardsPipe(view: PacketView, bytes: Uint8Array, partialChecksum: boolean): void {
    this.#exchange(view, bytes, view.destinationAt, partialChecksum);
  }

  /** The same for the source of a packet that leaves the pipe space. */
  fromPipe(view: PacketView, bytes: Uint8Array, partialChecksum: boolean): void {
    this.#exchange(view, bytes, view.sourceAt, partialChecksum);
  }

  #exchange(
    view: PacketView,
    bytes: Uint8Array,
    addressAt: number,
    partialChecksum: boolean,
  ): void {
    const delta = this.#exchangeAddress(bytes, addressAt);
    if (view.family === 4) {
      // Always a full checksum: offload is for the transport's only.
      const at = view.headerAt + ipv4ChecksumOffset;
      write16(bytes, at, updateChecksum(read16(bytes, at), delta));
    }
    // Only the first fragment has the TCP header, whose checksum covers all of them.
    if (view.protocol !== IPPROTO_TCP || view.fragmentOffset !== 0) return;
    const at = view.transportAt + tcpChecksumOffset;
    const update = partialChecksum ? updatePartialChecksum : updateChecksum;
    write16(bytes, at, update(read16(bytes, at), delta));
  }

  /** Returns by how much the sum over the address grew. */
  #exchangeAddress(bytes: Uint8Array, addressAt: number): number {
    const difference = this.#difference;
    let delta = 0;
    for (let i = 0; i < difference.length; i++) {
      const at = addressAt + 2 * i;
      const before = read16(bytes, at);
      const after = before ^ (difference[i] as number);
      write16(bytes, at, after);
      delta += wordDelta(before, after);
    }
    return delta;
  }
}
