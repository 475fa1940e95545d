/**
 * Collects what clients open their connections with, while an index is built.
 *
 * Many connections of one kind open alike, so equal openings are kept once. And as the rest of an index
 * is small, openings must not be what fills the memory: the more there is, the less is kept of each.
 */

/** The longest opening that is kept, while less than so many bytes of them are kept in all. */
const allowances = [
  { lengthBytes: 1024, untilBytes: 8 << 20 },
  { lengthBytes: 128, untilBytes: 24 << 20 },
] as const;

/** Where an opening lies among all. */
export interface OpeningPlace {
  readonly at: number;
  readonly lengthBytes: number;
}

const noOpening: OpeningPlace = { at: 0, lengthBytes: 0 };

export class Openings {
  #bytes = new Uint8Array(4096);
  #used = 0;
  /** By connection: what was collected of those whose opening may go on. */
  readonly #growing = new Map<number, Uint8Array>();
  /** By a hash of the bytes. */
  readonly #kept = new Map<number, OpeningPlace>();

  /** The client opens with these bytes, or goes on to. Copied. */
  add(connection: number, payload: Uint8Array): void {
    const sofar = this.#growing.get(connection) ?? new Uint8Array(0);
    const more = Math.min(payload.length, Math.max(0, this.#allowed() - sofar.length));
    if (more === 0) return;
    const both = new Uint8Array(sofar.length + more);
    both.set(sofar);
    both.set(payload.subarray(0, more), sofar.length);
    this.#growing.set(connection, both);
  }

  /** The opening is over: something was sent to the client, or the connection is over. */
  take(connection: number): OpeningPlace {
    const bytes = this.#growing.get(connection);
    if (bytes === undefined) return noOpening;
    this.#growing.delete(connection);
    return this.#keep(bytes);
  }

  /** All that were taken, in memory that can be shared. */
  finish(): SharedArrayBuffer {
    const shared = new SharedArrayBuffer(this.#used);
    new Uint8Array(shared).set(this.#bytes.subarray(0, this.#used));
    return shared;
  }

  #allowed(): number {
    return allowances.find(({ untilBytes }) => this.#used < untilBytes)?.lengthBytes ?? 0;
  }

  #keep(bytes: Uint8Array): OpeningPlace {
    const hash = hashOf(bytes);
    const known = this.#kept.get(hash);
    if (known !== undefined && this.#isAt(known, bytes)) return known;
    const place = { at: this.#used, lengthBytes: bytes.length };
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, place.at);
    this.#used += bytes.length;
    if (known === undefined) this.#kept.set(hash, place);
    return place;
  }

  #isAt({ at, lengthBytes }: OpeningPlace, bytes: Uint8Array): boolean {
    return lengthBytes === bytes.length && bytes.every((byte, i) => this.#bytes[at + i] === byte);
  }

  #makeRoom(lengthBytes: number): void {
    if (this.#used + lengthBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#bytes.length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** FNV-1a: good enough to find what is equal, which is then compared. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
