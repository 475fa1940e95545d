/**
 * What a live process can do otherwise than in the recording. Plain data: it crosses threads and becomes
 * JSON as it is. Bytes are in hexadecimal, two digits a byte; a byte that a mask covers is `..`.
 */
import type { Family } from "../../base/units.ts";
import { Direction } from "../../base/direction.ts";
import type { Shape } from "./shapes.ts";
import type { Wait } from "./wait.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

/** How a connection and a direction of it are told in a difference. */
export interface StreamName {
  /** The live process that differed. */
  readonly process: string;
  /** The recorded connection's number. */
  readonly connection: number;
  readonly client: string;
  readonly clientPort: number;
  readonly server: string;
  readonly serverPort: number;
  /** Of what the process sends: a client `to server`. */
  readonly direction: "to server" | "to client";
  /** Of what did not come: how long replay waited for it, and by which rule. */
  readonly wait?: Wait;
  /** What else was going on for this process, a line for each connection. Whoever reports may add it. */
  readonly meanwhile?: readonly string[];
}

/** Other bytes than recorded. The first difference of a stream; those after it are not told. */
interface BytesDifference extends StreamName {
  readonly kind: "bytes";
  /** Of the first byte that differs, in the recorded stream. With masks the live one may be elsewhere. */
  readonly offset: number;
  /** Up to 32 bytes that came before it, as recorded. */
  readonly before: string;
  /** From `offset` on, up to 32 bytes of each. */
  readonly recorded: string;
  readonly live: string;
  /**
   * Where the protocol has units: the stream, the frame and the header, `stream 5, HEADERS, :status`. The
   * bytes are then what the unit says, in clear, and `offset` is where it begins.
   */
  readonly unit?: string;
  /** If bytes like these differ in every run. */
  readonly shape?: Shape;
}

/** The process went on after all that it sent in the recording. */
interface ExtraBytesDifference extends StreamName {
  readonly kind: "extra-bytes";
  /** How many bytes were recorded. */
  readonly offset: number;
  readonly before: string;
  /** Up to 32 of the bytes beyond. */
  readonly live: string;
  /** As of other bytes. */
  readonly unit?: string;
}

/** Bytes did not come. `offset` did, of `expectedBytes` that were waited for. */
export interface MissingBytesDifference extends StreamName {
  readonly kind: "missing-bytes";
  readonly offset: number;
  readonly expectedBytes: number;
  /** Where the protocol has units: the first one that did not come. */
  readonly unit?: string;
}

/**
 * The process ended the stream, or reset the connection, after `offset` bytes, where in the recording it
 * went on to `expectedBytes`, or ended otherwise.
 */
export interface EndDifference extends StreamName {
  readonly kind: "early-end" | "unexpected-end" | "unexpected-reset";
  readonly offset: number;
  readonly expectedBytes: number;
  /** As of missing bytes. */
  readonly unit?: string;
}

/** The process did not end the stream, or did not reset the connection, after its `offset` bytes. */
interface MissingEndDifference extends StreamName {
  readonly kind: "missing-end" | "missing-reset";
  readonly offset: number;
}

/**
 * About a connection as a whole: the process did not open it; or, as its server, did not answer it at all,
 * refused it though it had accepted, or accepted it though it had not.
 */
interface ConnectionDifference extends StreamName {
  readonly kind: "missing-connection" | "no-answer" | "refused-instead" | "accepted-instead";
}

/** The process opened a connection that the recording does not have. It was refused. */
interface UnexpectedConnectionDifference {
  readonly kind: "unexpected-connection";
  readonly process: string;
  readonly server: string;
  readonly serverPort: number;
  readonly family: Family;
  /** The first event of the recording that the process could not know of yet. */
  readonly beforeEvent: number;
  /** How many connections to there it had opened in the recording, over this IP family and over the other. */
  readonly recordedConnections: number;
  readonly otherFamilyConnections: number;
  readonly meanwhile?: readonly string[];
}

/** The process did not take what was sent to it: it got `offset` bytes of `expectedBytes`. */
interface StuckDifference extends StreamName {
  readonly kind: "stuck";
  readonly offset: number;
  readonly expectedBytes: number;
}

/** How a command ended. Neither code nor signal if that is not known. */
export interface EndState {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** It was still running when it was stopped. */
  readonly stopped: boolean;
}

/** The command ended otherwise than in the recording. */
interface CommandEndDifference {
  readonly kind: "command-end";
  readonly process: string;
  readonly recorded: EndState;
  readonly now: EndState;
  readonly meanwhile?: readonly string[];
}

/**
 * A note, not a difference: it could not be told by its first bytes which of several recorded connections
 * a live one is. `connection` was taken.
 */
interface AmbiguousMatch extends StreamName {
  readonly kind: "ambiguous-match";
  /** All that it may have been. */
  readonly candidates: readonly number[];
}

/**
 * A note, not a difference: the process went on after its `offset` recorded bytes, where its peer cut
 * the stream off by an end or a reset.
 */
interface BeyondCut extends StreamName {
  readonly kind: "beyond-cut";
  readonly offset: number;
  readonly unit?: string;
}

/**
 * A note: `exchanges` of a process with a server's port were played on other connections than recorded,
 * or in another order, as the process asked for them. `connection` is where the first was recorded.
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

/** A note: the kernel of a live process dropped datagrams, because its sockets were full. */
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

/** What is worth mentioning, but no difference. */
export function isNote(difference: Difference): difference is Note {
  return noteKinds.has(difference.kind);
}

/** A finding, and whether it is the first divergence of its process: see divergence.ts. */
export type Difference = Finding & { readonly isFirst?: boolean };

/** Where the cores report what they find. */
export type ReportDifference = (difference: Difference) => void;

/** All that was found, as plain data. */
export interface DifferenceList {
  /**
   * The first ones found, in the order of {@link orderDifferences}: process by process, each from
   * its first divergence on.
   */
  readonly differences: readonly Difference[];
  /** How many were found in all, notes not counted. */
  readonly count: number;
  /** How many of them each process made. */
  readonly byProcess: Readonly<Record<string, number>>;
  /** What was noted but is no difference. */
  readonly notes: readonly Difference[];
}

function isSamePool(one: Difference, other: Difference): boolean {
  return (
    one.kind === "moved-exchanges" &&
    one.kind === other.kind &&
    one.process === other.process &&
    one.server === other.server &&
    one.serverPort === other.serverPort
  );
}

/** Collects differences, the first of each stream, and counts those beyond the limit. */
export class DifferenceLog {
  readonly #most: number;
  readonly #kept: Difference[] = [];
  readonly #notes: Difference[] = [];
  readonly #byProcess = new Map<string, number>();
  readonly #streams = new Set<string>();
  #count = 0;

  /** Keeps at most `most` differences, and as many notes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Goes on with what was found elsewhere. */
  static from(list: DifferenceList, most: number): DifferenceLog {
    const log = new DifferenceLog(most);
    log.#count = list.count;
    log.#kept.push(...list.differences);
    log.#notes.push(...list.notes);
    for (const [process, count] of Object.entries(list.byProcess))
      log.#byProcess.set(process, count);
    return log;
  }

  /** How many were found. */
  get count(): number {
    return this.#count;
  }

  add(difference: Difference): void {
    if (isNote(difference)) return this.#note(difference);
    if (!this.#isFirst(difference)) return;
    this.#count++;
    const { process } = difference;
    this.#byProcess.set(process, (this.#byProcess.get(process) ?? 0) + 1);
    if (this.#kept.length < this.#most) this.#kept.push(difference);
  }

  list(): DifferenceList {
    return {
      differences: this.#kept,
      count: this.#count,
      byProcess: Object.fromEntries(this.#byProcess),
      notes: this.#notes,
    };
  }

  /** Exchanges with the same port of the same server are counted in one note. */
  #note(note: Difference): void {
    const at = this.#notes.findIndex((one) => isSamePool(one, note));
    const known = this.#notes[at];
    if (known?.kind === "moved-exchanges" && note.kind === "moved-exchanges")
      this.#notes[at] = { ...known, exchanges: known.exchanges + note.exchanges };
    else if (this.#notes.length < this.#most) this.#notes.push(note);
  }

  /** One cause makes many effects: of each stream only the first is told, and of attempts to one place. */
  #isFirst(difference: Difference): boolean {
    if (difference.kind === "stuck") return true;
    const key = keyOf(difference);
    if (this.#streams.has(key)) return false;
    this.#streams.add(key);
    return true;
  }
}

function keyOf(difference: Difference): string {
  if (!("server" in difference)) return difference.process;
  if (difference.kind === "unexpected-connection")
    return `${difference.process} ${difference.server}:${difference.serverPort}`;
  return `${difference.connection} ${difference.direction}`;
}

/** How what the process sends in `direction` of a recorded connection is named. */
export function nameStream(
  index: RecordingIndex,
  connection: number,
  direction: Direction,
): StreamName {
  const { connections } = index;
  return {
    process: containerName(index, connections.endOf(connection, direction)),
    connection: connections.originOf(connection),
    client: containerName(index, connections.client(connection)),
    clientPort: connections.clientPort(connection),
    server: containerName(index, connections.server(connection)),
    serverPort: connections.serverPort(connection),
    direction: direction === Direction.toServer ? "to server" : "to client",
  };
}

export function containerName(index: RecordingIndex, container: number): string {
  return index.run.containers[container]?.name ?? `container ${container}`;
}
