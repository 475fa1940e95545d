/** Applies an alignment: gives all captures the same sequence numbers. */
import { advanced } from "../track/sequence.ts";
import type { Renumbering, TcpSegment } from "../track/tcp-segment.ts";
import type { Alignment, SequenceShift } from "./alignment.ts";
import { endpointsKey } from "./timeline.ts";

export class AlignedNumbers implements Renumbering {
  readonly #shifts: Alignment["shifts"];

  constructor({ shifts }: Alignment) {
    this.#shifts = shifts;
  }

  apply(
    capture: number,
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    segment: TcpSegment,
  ): boolean {
    const shifts = this.#shifts[capture];
    if (shifts === undefined || shifts.size === 0) return true;
    const { key, side } = endpointsKey(source, sourcePort, destination, destinationPort);
    const shift = shiftAt(shifts.get(key) ?? [], segment.atNs);
    if (shift === undefined) return true;
    segment.sequence = advanced(segment.sequence, shift.shifts[side]);
    segment.acknowledgment = advanced(segment.acknowledgment, shift.shifts[side === 0 ? 1 : 0]);
    return !shift.isLeftOut;
  }
}

/** The shift of the connection that began last. */
function shiftAt(shifts: readonly SequenceShift[], atNs: number): SequenceShift | undefined {
  return shifts.findLast(({ fromNs }) => fromNs <= atNs) ?? shifts[0];
}
