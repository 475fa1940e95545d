/**
 * What may happen to a connection, and in what order. One table for both sides: the sink holds the engine
 * to it, the decoder holds the file to it.
 */
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "./schema.ts";

/** Where a connection stands. `over`: nothing more is recorded of it. */
export type Phase = "connecting" | "open" | "clientEnded" | "serverEnded" | "over";

/** What both directions of each kind lead to: [to the server, to the client]. Absent: it cannot happen. */
type Row = Partial<Record<RecordKind, readonly [Phase | undefined, Phase | undefined]>>;

const reset = ["over", "over"] as const;

const table: Readonly<Record<Phase, Row>> = {
  connecting: {
    [RecordKind.accept]: [undefined, "open"],
    [RecordKind.refuse]: [undefined, "over"],
    [RecordKind.reset]: reset,
  },
  open: {
    [RecordKind.data]: ["open", "open"],
    [RecordKind.end]: ["clientEnded", "serverEnded"],
    [RecordKind.reset]: reset,
  },
  clientEnded: {
    [RecordKind.data]: [undefined, "clientEnded"],
    [RecordKind.end]: [undefined, "over"],
    [RecordKind.reset]: reset,
  },
  serverEnded: {
    [RecordKind.data]: ["serverEnded", undefined],
    [RecordKind.end]: ["over", undefined],
    [RecordKind.reset]: reset,
  },
  over: {},
};

/** The phase after `kind` by the sender of `direction`, or undefined if that cannot happen in `phase`. */
export function phaseAfter(
  phase: Phase,
  kind: RecordKind,
  direction: Direction,
): Phase | undefined {
  return table[phase][kind]?.[direction === Direction.toServer ? 0 : 1];
}
