/**
 * Checksums that the sender's kernel left to its device. The field holds the pseudo-header's sum,
 * and the virtio header (virtio specification, section 5.1.6.2) has the start of the sum and the
 * field's offset.
 */
import { checksumToSend, sum } from "../net/checksum.ts";
import { write16 } from "../net/wire.ts";
import { VIRTIO_NET_HDR_F_NEEDS_CSUM, virtioNetHeaderBytes } from "../sys/abi.ts";

/** Whether the frame in `bytes` has a partial checksum. */
export function hasPartialChecksum(bytes: Uint8Array): boolean {
  return ((bytes[0] ?? 0) & VIRTIO_NET_HDR_F_NEEDS_CSUM) !== 0;
}

/**
 * Completes the checksum of the frame in `bytes`, whose packet ends at `endAt`. Recorded packets
 * are played again later, so any host must accept them. The header's two offsets are in the
 * machine's byte order.
 */
export function completeChecksum(bytes: Uint8Array, endAt: number): void {
  const at = virtioNetHeaderBytes;
  const startAt = at + (bytes[6] ?? 0) + 256 * (bytes[7] ?? 0);
  const fieldAt = startAt + (bytes[8] ?? 0) + 256 * (bytes[9] ?? 0);
  if (fieldAt + 2 > endAt) return;
  write16(bytes, fieldAt, checksumToSend(sum(bytes, startAt, endAt - startAt)));
  bytes[0] = (bytes[0] ?? 0) & ~VIRTIO_NET_HDR_F_NEEDS_CSUM;
}
