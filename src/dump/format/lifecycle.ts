/**
 * The life cycle of a connection. One table serves both sides: the sink checks the engine's events
 * against it, and the decoder checks the file's records.
 */
import { Direction } from "../../base/direction.ts";
import { RecordKind } from "./schema.ts";

/** The phase of a connection. `over`: no more of its events are recorded. */
export type Phase = "connecting" | "open" | "clientEnded" | "serverEnded" | "over";

/**
 * For each kind, the next phase by direction: [to the server, to the client]. Missing: impossible.
 */
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

/** The phase after `kind` in `direction`, or undefined if it is impossible in `phase`. */
export function phaseAfter(
  phase: Phase,
  kind: RecordKind,
  direction: Direction,
): Phase | undefined {
  return table[phase][kind]?.[direction === Direction.toServer ? 0 : 1];
}
