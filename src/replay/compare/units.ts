/**
 * Units: what a connection is compared by where several streams share it, and where it is chance how
 * their bytes interleave. A framing takes the bytes of one direction apart into units. The units of
 * one key come in order, and those of different keys in any order.
 */
import type { Direction } from "../../base/direction.ts";
import type { Input } from "../../protocol/input.ts";

export interface Unit {
  /** The stream within the connection: `stream 5`. */
  readonly key: string;
  /** Such as `HEADERS`. */
  readonly name: string;
  /** By how many bytes of the direction it has ended. */
  readonly endOffset: number;
  /**
   * - `message`: is compared, and whoever waits for what comes behind it waits for it.
   * - `data`: is compared, together with the data around it. It is waited for by its amount alone:
   *   how streams share a window is chance.
   * - `free`: may come anywhere, or not at all.
   */
  readonly role: "message" | "data" | "free";
  /**
   * What is compared: bytes, or text that says the same however it was encoded. Of data they are the
   * last bytes up to `endOffset` if `isVerbatim`. Good until the next unit is asked for.
   */
  readonly content: Uint8Array;
  readonly isVerbatim: boolean;
}

/** Yields units, and undefined where it needs more bytes; throws `Garbled` where it understands no more. */
export type Units = Generator<Unit | undefined, void, void>;

/** A protocol that is compared by units. */
export interface Framing {
  /** Whether a connection has this framing whose client begins with these bytes. */
  recognizes(opening: Uint8Array): boolean;
  units(input: Input, direction: Direction): Units;
}
