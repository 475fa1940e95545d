/**
 * Finds packets other than TCP that a capture holds twice, because it was taken on several
 * interfaces, for example a bridge and a card. TCP does not need this: a repeated segment changes
 * nothing.
 */
import { IPPROTO_UDP } from "../../net/packet.ts";
import { read8, readBits32 } from "../../net/wire.ts";
import type { IpPacket } from "../read/ip-packet.ts";

/** The longest time between two sightings of one packet. */
const passageNs = 20e6;
/** The number of packets remembered. */
const slots = 1 << 12;

export class DuplicateFinder {
  readonly #hashes = new Int32Array(slots);
  readonly #times = new Float64Array(slots).fill(-Infinity);
  readonly #sightings = new Float64Array(slots);

  /**
   * Whether another interface has just seen this packet. `sighting` identifies the present
   * sighting.
   */
  isDuplicate(bytes: Uint8Array, packet: IpPacket, sighting: number, atNs: number): boolean {
    const hash = hashOf(bytes, packet);
    const slot = hash & (slots - 1);
    const isSame =
      this.#hashes[slot] === hash &&
      this.#sightings[slot] !== sighting &&
      Math.abs(atNs - (this.#times[slot] as number)) <= passageNs;
    if (isSame) return true;
    this.#hashes[slot] = hash;
    this.#times[slot] = atNs;
    this.#sightings[slot] = sighting;
    return false;
  }
}

/** FNV-1a over the parts that no router changes: addresses, identification and payload. */
function hashOf(bytes: Uint8Array, packet: IpPacket): number {
  let hash = 0x811c9dc5 ^ packet.protocol ^ packet.identification ^ packet.fragmentOffset;
  const take = (from: number, to: number): void => {
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ read8(bytes, at), 0x01000193);
  };
  const addressBytes = packet.family === 4 ? 4 : 16;
  take(packet.sourceAt, packet.sourceAt + 2 * addressBytes);
  const from = packet.transportAt;
  if (packet.protocol === IPPROTO_UDP && packet.fragmentOffset === 0) {
    // With offload the card fills in the checksum, so it differs between interfaces.
    hash = Math.imul(hash ^ readBits32(bytes, from), 0x01000193);
    take(from + 8, packet.capturedEndAt);
  } else {
    take(from, packet.capturedEndAt);
  }
  return hash;
}
