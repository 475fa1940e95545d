/**
 * Finds the recorded connection that a live process opens now. It is pure.
 *
 * It is a connection of the same process to the same port of the same server, usually the next in
 * order. When a process opens several at once, chance decides their order, so their first bytes
 * identify them. While candidates with different openings remain, the replay accepts a live
 * connection at once and identifies it by the opening that it sends. Until then it keeps the next
 * recorded connection for it, which counts as opened. If the server speaks first there is no
 * opening, and the order decides.
 *
 * A client's port identifies a connection only if the program chose it. A port that the kernel
 * chose differs in every run.
 */
import { type ConnectionNumber, type ContainerIndex, endOf } from "../../base/ids.ts";
import type { Family, Port } from "../../base/units.ts";
import { Direction } from "../../base/direction.ts";
import { CandidateGroup, type Standing } from "./candidates.ts";
import type { ReportDifference } from "../findings/differences.ts";
import { containerName, nameStream } from "../findings/stream-name.ts";
import { PendingMatch } from "./pending-match.ts";
import { Done, type Progress } from "../progress/progress.ts";
import { type ReadPayload, RecordedStream } from "../../recording/recorded-stream.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export type { PendingMatch } from "./pending-match.ts";

/** A connection attempt of a live process. */
export interface LiveAttempt {
  readonly family: Family;
  readonly client: ContainerIndex;
  readonly clientPort: Port;
  readonly server: ContainerIndex;
  readonly serverPort: Port;
}

/**
 * Recorded connections from one port that the program chose, or from all ports that the kernel
 * chose.
 */
interface Candidacy {
  readonly clientPort: number;
  readonly numbers: number[];
  /** Created on first use. */
  group?: CandidateGroup;
}

/** The first port that the kernel chooses itself (ip_local_port_range in Linux's ip-sysctl.rst). */
const firstEphemeralPort = 32_768;
/** Stands for all ports that the kernel chose. */
const anyPort = 0;

/**
 * How to answer a connection attempt.
 *
 * - `none`: the recording has no such connection. The difference is reported; refuse the attempt.
 * - `matched`: it is `connection`. Note it as connected; the schedule decides when to answer it.
 * - `deferred`: it may be one of several, all of which were accepted. Accept it, note
 *   `pending.kept` as opened, and pass its first bytes to `pending`.
 */
export type Match =
  | { readonly type: "none" }
  | { readonly type: "matched"; readonly connection: ConnectionNumber }
  | { readonly type: "deferred"; readonly pending: PendingMatch };

export class Matching {
  readonly #index: RecordingIndex;
  readonly #report: ReportDifference;
  readonly #progress: Progress;
  readonly #standing: Standing;
  readonly #taken: Uint8Array;
  /** Connections that were taken for a live one by mistake. */
  readonly #freed = new Set<number>();
  /** By family, client, server and the server's port. */
  readonly #places = new Map<string, Candidacy[]>();
  /** By client. */
  readonly #pending = new Map<number, Set<PendingMatch>>();
  /** By the connection that is kept for the pending match. */
  readonly #keeping = new Map<number, PendingMatch>();

  constructor(
    index: RecordingIndex,
    progress: Progress,
    read: ReadPayload,
    report: ReportDifference,
  ) {
    const { connections, byConnection } = index;
    const taken = new Uint8Array(connections.count + 1);
    this.#index = index;
    this.#report = report;
    this.#progress = progress;
    this.#taken = taken;
    this.#standing = {
      isTaken: (connection) => taken[connection] === 1,
      isAccepted: (connection) => connections.outcome(connection) === "accepted",
      isLate: (connection) => progress.isLate(endOf(connection, Direction.toServer)),
      isKept: (connection) => this.#keeping.has(connection),
      startOf: (connection) => byConnection[connections.from(connection)] as number,
      beginsWith: (connection, bytes) => {
        const stream = new RecordedStream(index, read, connection, Direction.toServer);
        const recorded = stream.copy(0, bytes.length);
        return bytes.every((byte, at) => byte === recorded[at]);
      },
      pausesAt: (connection, offset) => pausesAt(index, connection, offset),
    };
    for (let number = 1; number <= connections.count; number++) this.#place(number);
  }

  /** A live process asks for a connection. `windowEnd` is its schedule's current window end. */
  attempt(attempt: LiveAttempt, windowEnd: number): Match {
    const place = this.#places.get(keyOf(attempt)) ?? [];
    const candidacy = this.#choose(place, attempt, windowEnd);
    if (candidacy === undefined) return this.#unexpected(attempt, windowEnd);
    const group = this.#groupOf(candidacy);
    const first = group.all.pickFree(windowEnd).connection;
    if (first > 0 && this.#standing.isAccepted(first) && group.free > 0) {
      // A port has only one connection at a time.
      const isKnown = candidacy.clientPort !== anyPort;
      if (!isKnown && this.#isInDoubt(group, first, windowEnd))
        return this.#defer(attempt, group, first, windowEnd);
      group.free--;
      return this.#match(first);
    }
    // The accepted candidates may all be kept for pending connections.
    const { rank, connection } = group.unaccepted.pick(windowEnd);
    return rank > 0 ? this.#match(connection) : this.#unexpected(attempt, windowEnd);
  }

  /**
   * A copy of the undecided matches of the live process `client`, in the order of their attempts.
   */
  pendingOf(client: ContainerIndex): readonly PendingMatch[] {
    return [...(this.#pending.get(client) ?? [])];
  }

  /**
   * The pending match for `connection`, on which the recorded server speaks first: the one that the
   * connection is kept for. If that client has already sent something else than then, another
   * that has sent nothing.
   */
  pendingFor(connection: ConnectionNumber): PendingMatch | undefined {
    const keeper = this.#keeping.get(connection);
    if (keeper === undefined || keeper.fitsKept) return keeper;
    const others = this.pendingOf(keeper.client);
    return others.find((one) => one.isSilent && one.isLike(keeper));
  }

  /**
   * The connections that the live one matched with `connection` may be instead: nobody has taken
   * them yet. Later ones come first.
   */
  alternatives(connection: ConnectionNumber): readonly ConnectionNumber[] {
    const others = this.#candidacyOf(connection).numbers.filter((one) => this.#isFree(one));
    const isLater = (one: ConnectionNumber): boolean => one > connection;
    return [...others.filter(isLater), ...others.filter((one) => !isLater(one))];
  }

  /** The live connection that was matched with `from` is `to`, an alternative. */
  rematch(from: ConnectionNumber, to: ConnectionNumber): void {
    this.#taken[from] = 0;
    this.#taken[to] = 1;
    this.#freed.add(from);
    this.#groupOf(this.#candidacyOf(from)).rewind();
  }

  /** The run is over: reports connections that no live one turned out to be. */
  finish(): void {
    for (const connection of this.#freed) {
      if (this.#taken[connection] === 1) continue;
      const name = nameStream(this.#index, connection, Direction.toServer);
      this.#report({ kind: "missing-connection", ...name });
    }
  }

  #isFree(connection: ConnectionNumber): boolean {
    const standing = this.#standing;
    const isTaken = standing.isTaken(connection) || standing.isKept(connection);
    return standing.isAccepted(connection) && !isTaken;
  }

  #candidacyOf(number: ConnectionNumber): Candidacy {
    const connection = this.#index.connections.describe(number);
    const clientPort = chosenPort(connection.clientPort);
    const place = this.#places.get(keyOf(connection)) ?? [];
    return place.find((one) => one.clientPort === clientPort) as Candidacy;
  }

  #place(number: ConnectionNumber): void {
    const connection = this.#index.connections.describe(number);
    const key = keyOf(connection);
    const place = this.#places.get(key) ?? [];
    this.#places.set(key, place);
    const clientPort = chosenPort(connection.clientPort);
    const candidacy = place.find((one) => one.clientPort === clientPort);
    if (candidacy === undefined) place.push({ clientPort, numbers: [number] });
    else candidacy.numbers.push(number);
  }

  /**
   * The candidacy of the attempt's port. If that has none left, one of the other ports: the program
   * may choose different ports now.
   */
  #choose(
    place: readonly Candidacy[],
    attempt: LiveAttempt,
    windowEnd: number,
  ): Candidacy | undefined {
    const own = chosenPort(attempt.clientPort);
    const hasSome = (one: Candidacy): boolean =>
      this.#groupOf(one).all.pickFree(windowEnd).rank > 0;
    const exact = place.find((one) => one.clientPort === own);
    return exact && hasSome(exact) ? exact : place.find(hasSome);
  }

  #groupOf(candidacy: Candidacy): CandidateGroup {
    const { connections } = this.#index;
    candidacy.group ??= new CandidateGroup(
      candidacy.numbers,
      (connection) => connections.opening(connection),
      this.#standing,
    );
    return candidacy.group;
  }

  /**
   * Whether only bytes can decide if the attempt is `first`, the next in order. This also needs
   * every possible match to have been accepted. That fails if an unaccepted connection may be
   * opened by now, or comes right after `first`.
   */
  #isInDoubt(group: CandidateGroup, first: number, windowEnd: number): boolean {
    if (!group.isMixed || group.unaccepted.pick(windowEnd).rank === 3) return false;
    const next = group.all.pickFree(windowEnd, first).connection;
    if (next > 0 && !this.#standing.isAccepted(next)) return false;
    if (this.#index.connections.opening(first).length > 0) return true;
    return group.classes.some((one) => one.opening.length > 0 && one.pick(windowEnd).rank === 3);
  }

  #match(connection: ConnectionNumber): Match {
    this.#taken[connection] = 1;
    return { type: "matched", connection };
  }

  #defer({ client }: LiveAttempt, group: CandidateGroup, kept: number, windowEnd: number): Match {
    group.free--;
    const ofClient = this.#pending.get(client) ?? new Set();
    this.#pending.set(client, ofClient);
    const pending = new PendingMatch(client, group, kept, windowEnd, {
      onDecided: (connection) => {
        this.#taken[connection] = 1;
        this.#release(pending, connection);
        ofClient.delete(pending);
      },
      onAmbiguous: (connection, candidates) =>
        this.#report({
          kind: "ambiguous-match",
          ...nameStream(this.#index, connection, Direction.toServer),
          candidates,
        }),
    });
    ofClient.add(pending);
    this.#keeping.set(kept, pending);
    return { type: "deferred", pending };
  }

  /**
   * The pending match is `connection`. Its kept connection goes to the match that kept
   * `connection`.
   */
  #release(pending: PendingMatch, connection: ConnectionNumber): void {
    const { kept } = pending;
    const other = this.#keeping.get(connection);
    this.#keeping.delete(kept);
    this.#keeping.delete(connection);
    if (other === pending) return;
    if (other === undefined)
      return this.#progress.clear(endOf(kept, Direction.toServer), Done.opened);
    other.kept = kept;
    this.#keeping.set(kept, other);
  }

  #unexpected(attempt: LiveAttempt, beforeEvent: number): Match {
    const family = attempt.family === 4 ? 6 : 4;
    this.#report({
      kind: "unexpected-connection",
      process: containerName(this.#index, attempt.client),
      server: containerName(this.#index, attempt.server),
      serverPort: attempt.serverPort,
      family: attempt.family,
      beforeEvent,
      recordedConnections: this.#countAt(keyOf(attempt)),
      otherFamilyConnections: this.#countAt(keyOf({ ...attempt, family })),
    });
    return { type: "none" };
  }

  #countAt(key: string): number {
    const place = this.#places.get(key) ?? [];
    return place.reduce((sum, { numbers }) => sum + numbers.length, 0);
  }
}

/** Whether a piece of what the recorded client sent ends at `offset`. */
function pausesAt(index: RecordingIndex, connection: ConnectionNumber, offset: number): boolean {
  const { connections, byConnection } = index;
  for (let at = connections.from(connection); at < connections.to(connection); at++) {
    const event = byConnection[at] as number;
    if (index.direction(event) !== Direction.toServer) continue;
    if (index.endOffset(event) >= offset) return index.endOffset(event) === offset;
  }
  return false;
}

/** The port if the program chose it, else {@link anyPort}. */
function chosenPort(port: Port): number {
  return port < firstEphemeralPort ? port : anyPort;
}

function keyOf({ family, client, server, serverPort }: Omit<LiveAttempt, "clientPort">): string {
  return `${family}/${client}>${server}:${serverPort}`;
}
