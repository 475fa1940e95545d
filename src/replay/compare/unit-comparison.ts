/**
 * Compares what a live process sends on a framed connection (units.ts). It compares each key
 * separately, in the order of its content, so that it does not matter how units of different keys
 * interleave.
 */
import { hex } from "../../base/bytes.ts";
import type { Direction } from "../../base/direction.ts";
import { Garbled, Input } from "../../protocol/input.ts";
import type { RecordedStream } from "../../recording/recorded-stream.ts";
import type { Difference, StreamName } from "../findings/differences.ts";
import type { Comparison } from "./compare.ts";
import type { RecordedUnits } from "./recorded-units.ts";
import { StreamComparison, type StreamParts } from "./stream-comparison.ts";
import type { Framing, Unit, Units } from "./units.ts";

/** A report on unreadable frames shows this many bytes. */
const shownBytes = 32;
const noMoment = { event: 0, atNs: 0 };

/** The differences that a comparison of bytes reports. */
type BytesFound = Extract<Difference, { readonly kind: "bytes" | "extra-bytes" | "beyond-cut" }>;

export class UnitComparison implements Comparison {
  readonly #parts: Omit<StreamParts, "recorded">;
  readonly #name: StreamName;
  readonly #stream: RecordedStream;
  readonly #recorded: RecordedUnits;
  readonly #input = new Input();
  #units: Units | undefined;
  readonly #keys = new Map<string, StreamComparison>();
  #dataBytes = 0;
  #hasDiffered = false;

  constructor(
    parts: StreamParts & { readonly recorded: RecordedStream },
    recorded: RecordedUnits,
    framing: Framing,
    direction: Direction,
  ) {
    this.#parts = parts;
    this.#name = parts.name;
    this.#stream = parts.recorded;
    this.#recorded = recorded;
    this.#units = framing.units(this.#input, direction);
  }

  get position(): number {
    return this.#recorded.position((key) => this.#keys.get(key)?.position ?? 0, this.#dataBytes);
  }

  get foreseenBytes(): number {
    const reach = (key: string): number => this.#keys.get(key)?.foreseenBytes ?? 0;
    return this.#recorded.position(reach, this.#dataBytes);
  }

  foresee(): void {
    for (const key of this.#keys.values()) key.foresee();
  }

  get hasDiffered(): boolean {
    return this.#hasDiffered;
  }

  push(live: Uint8Array, at: number, lengthBytes: number): void {
    if (this.#units === undefined) return;
    this.#input.push(live.subarray(at, at + lengthBytes), noMoment);
    try {
      for (let unit = this.#next(); unit; unit = this.#next()) this.#take(unit);
    } catch (error) {
      if (!(error instanceof Garbled)) throw error;
      this.#reportGarbled();
    }
    this.#input.settle();
  }

  finish(): void {
    for (const key of this.#keys.values()) key.finish();
  }

  conclude(): void {
    for (const key of this.#keys.values()) key.conclude();
  }

  get awaitedUnit(): string | undefined {
    return this.#recorded.awaited;
  }

  #next(): Unit | undefined {
    return this.#units?.next().value ?? undefined;
  }

  #take({ key, role, content }: Unit): void {
    if (role === "data") this.#dataBytes += content.length;
    if (role === "free") return;
    const comparison = this.#comparisonOf(key);
    comparison.push(content, 0, content.length);
    this.#hasDiffered ||= comparison.hasDiffered;
  }

  #comparisonOf(key: string): StreamComparison {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const { report, announce } = this.#parts;
    const made = new StreamComparison({
      ...this.#parts,
      recorded: this.#recorded.contentOf(key),
      report: (difference) => report(this.#placed(key, difference)),
      announce: (difference) => announce?.(this.#placed(key, difference)),
    });
    this.#keys.set(key, made);
    return made;
  }

  /** A difference in the content of a key, at its place in the direction. */
  #placed(key: string, difference: Difference): Difference {
    const found = difference as BytesFound;
    const place = this.#recorded.contentOf(key).placeAt(found.offset);
    const offset = place?.offset ?? this.#stream.lengthBytes;
    const unit = place === undefined ? key : `${key}, ${place.unit}`;
    return { ...found, offset, unit };
  }

  #reportGarbled(): void {
    this.#hasDiffered = true;
    this.#units = undefined;
    const offset = Math.min(this.position, this.#stream.lengthBytes);
    const recorded = hex(this.#stream.copy(offset, offset + shownBytes));
    const live = hex(this.#input.heldBytes.subarray(0, shownBytes));
    this.#input.drop();
    const found = { ...this.#name, offset, before: "", live, unit: "frames that cannot be read" };
    if (recorded === "") this.#parts.report({ kind: "extra-bytes", ...found });
    else this.#parts.report({ kind: "bytes", ...found, recorded });
  }
}
