/**
 * Units: the pieces that the comparison uses when several streams share a connection, so that
 * chance decides how their bytes interleave. A framing splits the bytes of one direction into
 * units. Units of one key come in order; units of different keys come in any order.
 */
import type { Direction } from "../../base/direction.ts";
import type { Input } from "../../protocol/input.ts";

export interface Unit {
  /** The stream within the connection, such as `stream 5`. */
  readonly key: string;
  /** The kind of unit, such as `HEADERS`. */
  readonly name: string;
  /** The offset in the direction at which the unit ends. */
  readonly endOffset: number;
  /**
   * - `message`: is compared. An event that waits for a later unit waits for this one, too.
   * - `data`: is compared together with the data around it. Only its amount is awaited, because
   *   chance decides how streams share a window.
   * - `free`: may come anywhere, or not at all.
   */
  readonly role: "message" | "data" | "free";
  /**
   * The bytes to compare, or a text that does not depend on how the unit was encoded. With
   * `isVerbatim`, they are the last bytes up to `endOffset`. Valid until the next unit is
   * requested.
   */
  readonly content: Uint8Array;
  readonly isVerbatim: boolean;
}

/**
 * Yields units, and undefined when it needs more bytes. Throws `Garbled` on bytes that it cannot
 * read.
 */
export type Units = Generator<Unit | undefined, void, void>;

/** A protocol that is compared by units. */
export interface Framing {
  /** Whether a connection whose client begins with these bytes has this framing. */
  recognizes(opening: Uint8Array): boolean;
  units(input: Input, direction: Direction): Units;
}
