/**
 * The ways in which a live process can differ from the recording. They are plain data, which
 * crosses threads and becomes JSON unchanged. Bytes are in hexadecimal, two digits each; a masked
 * byte is `..`.
 */
import type { ConnectionNumber } from "../../base/ids.ts";
import type { Family } from "../../base/units.ts";
import type { Shape } from "./shapes.ts";
import type { Wait } from "./wait.ts";

/** Names a connection and one direction of it in a difference. */
export interface StreamName {
  /** The live process that differed. */
  readonly process: string;
  /** The recorded connection's number. */
  readonly connection: ConnectionNumber;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** The direction in which the process sends: a client's is `to server`. */
  readonly direction: "to server" | "to client";
  /** How long the replay waited for something that did not come, and by which rule it stopped. */
  readonly wait?: Wait;
  /** The progress of the process's other connections, one line each. The reporter may add it. */
  readonly meanwhile?: readonly string[];
}

/** The bytes differ from the recorded ones. Only the first difference of a stream is reported. */
interface BytesDifference extends StreamName {
  readonly kind: "bytes";
  /**
   * The offset of the first differing byte in the recorded stream. With masks the live offset may
   * differ.
   */
  readonly offset: number;
  /** Up to 32 recorded bytes before the difference. */
  readonly before: string;
  /** Up to 32 bytes of each side, from `offset` on. */
  readonly recorded: string;
  readonly live: string;
  /**
   * In a protocol with units: the stream, the frame and the header, such as `stream 5, HEADERS,
   * :status`. The bytes are then the decoded text of the unit, and `offset` is where the unit
   * begins.
   */
  readonly unit?: string;
  /** Present if bytes of this shape differ in every run. */
  readonly shape?: Shape;
}

/** The process sent more than in the whole recording. */
interface ExtraBytesDifference extends StreamName {
  readonly kind: "extra-bytes";
  /** The number of recorded bytes. */
  readonly offset: number;
  readonly before: string;
  /** Up to 32 of the extra bytes. */
  readonly live: string;
  /** See {@link BytesDifference.unit}. */
  readonly unit?: string;
}

/** Bytes did not come: only `offset` of `expectedBytes`. */
interface MissingBytesDifference extends StreamName {
  readonly kind: "missing-bytes";
  readonly offset: number;
  readonly expectedBytes: number;
  /** In a protocol with units: the first unit that did not come. */
  readonly unit?: string;
}

/**
 * The process ended the stream or reset the connection after `offset` bytes. In the recording it
 * went on to `expectedBytes`, or ended differently.
 */
interface EndDifference extends StreamName {
  readonly kind: "early-end" | "unexpected-end" | "unexpected-reset";
  readonly offset: number;
  readonly expectedBytes: number;
  /** See {@link MissingBytesDifference.unit}. */
  readonly unit?: string;
}

/**
 * The process did not end the stream, or did not reset the connection, after its `offset` bytes.
 */
interface MissingEndDifference extends StreamName {
  readonly kind: "missing-end" | "missing-reset";
  readonly offset: number;
}

/**
 * Concerns a connection as a whole. The process did not open it. Or, as its server, it did not
 * answer, refused a connection that it had accepted, or accepted one that it had not.
 */
interface ConnectionDifference extends StreamName {
  readonly kind: "missing-connection" | "no-answer" | "refused-instead" | "accepted-instead";
}

/** The process opened a connection that the recording does not have. The replay refused it. */
interface UnexpectedConnectionDifference {
  readonly kind: "unexpected-connection";
  /** Set if two recordings are compared: the second one has the connection. */
  readonly isRecorded?: boolean;
  readonly process: string;
  readonly server: string;
  readonly serverPort: number;
  readonly family: Family;
  /** The first event of the recording that the process could not know about yet. */
  readonly beforeEvent: number;
  /**
   * How many connections to that port it opened in the recording, over this IP family and the
   * other.
   */
  readonly recordedConnections: number;
  readonly otherFamilyConnections: number;
  readonly meanwhile?: readonly string[];
}

/** The process stopped reading: it took `offset` of `expectedBytes`. */
interface StuckDifference extends StreamName {
  readonly kind: "stuck";
  readonly offset: number;
  readonly expectedBytes: number;
}

/** How a command ended. Both code and signal are absent if that is unknown. */
export interface EndState {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** Whether it was still running when it was stopped. */
  readonly stopped: boolean;
}

/** The command ended differently than in the recording. */
interface CommandEndDifference {
  readonly kind: "command-end";
  readonly process: string;
  readonly recorded: EndState;
  readonly now: EndState;
  readonly meanwhile?: readonly string[];
}

/**
 * A note, not a difference: the first bytes of a live connection fitted several recorded ones. The
 * replay chose `connection`.
 */
interface AmbiguousMatch extends StreamName {
  readonly kind: "ambiguous-match";
  /** All connections that fitted. */
  readonly candidates: readonly number[];
}

/**
 * A note, not a difference: the process sent more than its `offset` recorded bytes. In the
 * recording, a FIN or RST of its peer cut the stream off there.
 */
interface BeyondCut extends StreamName {
  readonly kind: "beyond-cut";
  readonly offset: number;
  readonly unit?: string;
}

/**
 * A note: the process asked for `exchanges` with a server's port on other connections than
 * recorded, or in another order, and the replay followed. `connection` is where the first of them
 * was recorded.
 */
interface MovedExchanges extends StreamName {
  readonly kind: "moved-exchanges";
  readonly exchanges: number;
}

type Note = AmbiguousMatch | BeyondCut | MovedExchanges | DroppedDatagrams;

type Finding =
  | BytesDifference
  | ExtraBytesDifference
  | MissingBytesDifference
  | EndDifference
  | MissingEndDifference
  | ConnectionDifference
  | UnexpectedConnectionDifference
  | StuckDifference
  | CommandEndDifference
  | Note;

/** A note: the kernel of a live process dropped datagrams because its sockets were full. */
interface DroppedDatagrams {
  readonly kind: "dropped-datagrams";
  readonly process: string;
  readonly datagrams: number;
  readonly meanwhile?: readonly string[];
}

const noteKinds: ReadonlySet<string> = new Set<Note["kind"]>([
  "ambiguous-match",
  "beyond-cut",
  "moved-exchanges",
  "dropped-datagrams",
]);

/** Whether a finding deserves mention but is not a difference. */
export function isNote(difference: Difference): difference is Note {
  return noteKinds.has(difference.kind);
}

/** A finding. `isFirst` marks the first divergence of its process: see divergence.ts. */
export type Difference = Finding & { readonly isFirst?: boolean };

/** Receives the findings of the pure cores, and calls none of them. */
export type ReportDifference = (difference: Difference) => void;

/** All findings, as plain data. */
export interface DifferenceList {
  /**
   * The first differences, in the order of {@link orderDifferences}: process by process, each from
   * its first divergence on.
   */
  readonly differences: readonly Difference[];
  /** The total number of differences, without notes. */
  readonly count: number;
  /** The number of differences of each process. */
  readonly byProcess: Readonly<Record<string, number>>;
  /** Findings that are not differences. */
  readonly notes: readonly Difference[];
}
