/**
 * Collects the first bytes of each client (its opening) while an index is built.
 *
 * Connections of the same kind open alike, so equal openings are stored once. To keep the index
 * small, the stored length of each opening shrinks as their total grows.
 */
import type { ConnectionNumber } from "../base/ids.ts";

/**
 * The maximum stored length of an opening, as long as all openings together stay below the limit.
 */
const allowances = [
  { lengthBytes: 1024, untilBytes: 8 << 20 },
  { lengthBytes: 128, untilBytes: 24 << 20 },
] as const;

/** The position of an opening in the common storage. */
export interface OpeningPlace {
  readonly at: number;
  readonly lengthBytes: number;
}

const noOpening: OpeningPlace = { at: 0, lengthBytes: 0 };

export class Openings {
  #bytes = new Uint8Array(4096);
  #used = 0;
  /** By connection: the bytes of openings that may still continue. */
  readonly #growing = new Map<number, Uint8Array>();
  /** By a hash of the bytes. */
  readonly #kept = new Map<number, OpeningPlace>();

  /** Adds bytes to the client's opening. Copies them. */
  add(connection: ConnectionNumber, payload: Uint8Array): void {
    const sofar = this.#growing.get(connection) ?? new Uint8Array(0);
    const more = Math.min(payload.length, Math.max(0, this.#allowed() - sofar.length));
    if (more === 0) return;
    const both = new Uint8Array(sofar.length + more);
    both.set(sofar);
    both.set(payload.subarray(0, more), sofar.length);
    this.#growing.set(connection, both);
  }

  /** Ends an opening: something was sent to the client, or the connection is over. */
  take(connection: ConnectionNumber): OpeningPlace {
    const bytes = this.#growing.get(connection);
    if (bytes === undefined) return noOpening;
    this.#growing.delete(connection);
    return this.#keep(bytes);
  }

  /** All openings, in memory that can be shared. */
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

/** FNV-1a: good enough to find candidates, which are then compared. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}
