/**
 * Units: the pieces by which a connection is compared if several streams share it, and chance decides
 * how their bytes interleave. A framing splits the bytes of one direction into units. The units of one
 * key come in order, those of different keys in any order.
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
   * - `message`: is compared. Whatever waits for a later unit waits for it as well.
   * - `data`: is compared, together with the data around it. It is waited for by its amount alone:
   *   how streams share a window is chance.
   * - `free`: may come anywhere, or not at all.
   */
  readonly role: "message" | "data" | "free";
  /**
   * The bytes to compare, or a text that does not depend on how the unit was encoded. With
   * `isVerbatim` they are the last bytes up to `endOffset`. Good until the next unit is asked for.
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
