/**
 * Finds the recorded connection that a live process opens now: pure.
 *
 * It is one of the same process to the same port of the same server, as a rule the next in order. Where
 * several are opened at once their order is chance, so their first bytes decide: while some of them
 * opened differently, a live connection is accepted at once, and is identified by the opening that it
 * sends. Until then one recorded connection, the next in order, is kept for it; that one counts as
 * opened. If the server speaks first there is no opening, and the order decides.
 *
 * A client's port identifies a connection if the program chose it. Those that the kernel chose differ in
 * every run.
 */
import type { Family, Port } from "../../base/units.ts";
import { Direction } from "../../base/direction.ts";
import { CandidateGroup, type Standing } from "./candidates.ts";
import { containerName, nameStream, type ReportDifference } from "../findings/differences.ts";
import { PendingMatch } from "./pending-match.ts";
import { Done, endOf, type Progress } from "../progress/progress.ts";
import type { RecordingIndex } from "../../recording/recording.ts";

export type { PendingMatch } from "./pending-match.ts";

/** A connection attempt of a live process. */
export interface LiveAttempt {
  readonly family: Family;
  readonly client: number;
  readonly clientPort: Port;
  readonly server: number;
  readonly serverPort: Port;
}

/** Recorded connections from one port that the program chose, or from all ports that the kernel chose. */
interface Candidacy {
  readonly clientPort: number;
  readonly numbers: number[];
  /** Once it is needed. */
  group?: CandidateGroup;
}

/** The kernel chooses ports from here on (ip_local_port_range in ip-sysctl.rst of Linux). */
const firstEphemeralPort = 32_768;
/** Stands for all ports that the kernel chose. */
const anyPort = 0;

/**
 * What to do with an attempt.
 * `none`: the recording has no such connection; it was reported; refuse.
 * `matched`: it is `connection`: note it as connected; the schedule says when it is answered.
 * `deferred`: it may be several, all of which were accepted: accept it, then note `pending.kept` as opened,
 * and show `pending` its first bytes.
 */
export type Match =
  | { readonly type: "none" }
  | { readonly type: "matched"; readonly connection: number }
  | { readonly type: "deferred"; readonly pending: PendingMatch };

export class Matching {
  readonly #index: RecordingIndex;
  readonly #report: ReportDifference;
  readonly #progress: Progress;
  readonly #standing: Standing;
  readonly #taken: Uint8Array;
  /** By family, client, server and the server's port. */
  readonly #places = new Map<string, Candidacy[]>();
  /** By client. */
  readonly #pending = new Map<number, Set<PendingMatch>>();
  /** By the connection that is kept for it. */
  readonly #keeping = new Map<number, PendingMatch>();

  constructor(index: RecordingIndex, progress: Progress, report: ReportDifference) {
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
    };
    for (let number = 1; number <= connections.count; number++) this.#place(number);
  }

  /** A live process asks for a connection. `windowEnd` is what its schedule says now. */
  attempt(attempt: LiveAttempt, windowEnd: number): Match {
    const place = this.#places.get(keyOf(attempt)) ?? [];
    const candidacy = this.#choose(place, attempt, windowEnd);
    if (candidacy === undefined) return this.#unexpected(attempt, windowEnd);
    const group = this.#groupOf(candidacy);
    const first = group.all.pickFree(windowEnd).connection;
    if (first > 0 && this.#standing.isAccepted(first) && group.free > 0) {
      // From one port there is one connection at a time.
      const isKnown = candidacy.clientPort !== anyPort;
      if (!isKnown && this.#isInDoubt(group, first, windowEnd))
        return this.#defer(attempt, group, first, windowEnd);
      group.free--;
      return this.#match(first);
    }
    // Those that were accepted may all be kept for connections that are pending.
    const { rank, connection } = group.unaccepted.pick(windowEnd);
    return rank > 0 ? this.#match(connection) : this.#unexpected(attempt, windowEnd);
  }

  /** Those of the live process `client` that are not decided, in the order of their attempts. A copy. */
  pendingOf(client: number): readonly PendingMatch[] {
    return [...(this.#pending.get(client) ?? [])];
  }

  /**
   * The recorded server speaks first on `connection`, which counts as opened but is not identified: the
   * pending match that it is kept for. If that one has sent something, another that has not.
   */
  silentFor(connection: number): PendingMatch | undefined {
    const keeper = this.#keeping.get(connection);
    if (keeper === undefined || keeper.isSilent) return keeper;
    const others = this.pendingOf(keeper.client);
    return others.find((one) => one.isSilent && one.isLike(keeper));
  }

  #place(number: number): void {
    const connection = this.#index.connections.describe(number);
    const key = keyOf(connection);
    const place = this.#places.get(key) ?? [];
    this.#places.set(key, place);
    const clientPort = chosenPort(connection.clientPort);
    const candidacy = place.find((one) => one.clientPort === clientPort);
    if (candidacy === undefined) place.push({ clientPort, numbers: [number] });
    else candidacy.numbers.push(number);
  }

  /** Those from the attempt's port. A program that chooses other ports now gets what is left. */
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
   * Whether bytes must tell if it is `first`, the next in order: if they can, and acceptance is sure. It is
   * not where one that was not accepted may be opened by now, or is the next after `first`.
   */
  #isInDoubt(group: CandidateGroup, first: number, windowEnd: number): boolean {
    if (!group.isMixed || group.unaccepted.pick(windowEnd).rank === 3) return false;
    const next = group.all.pickFree(windowEnd, first).connection;
    if (next > 0 && !this.#standing.isAccepted(next)) return false;
    if (this.#index.connections.opening(first).length > 0) return true;
    return group.classes.some((one) => one.opening.length > 0 && one.pick(windowEnd).rank === 3);
  }

  #match(connection: number): Match {
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

  /** It is `connection`: what was kept for it goes to the one that `connection` was kept for. */
  #release(pending: PendingMatch, connection: number): void {
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

/** The port if the program chose it. */
function chosenPort(port: Port): number {
  return port < firstEphemeralPort ? port : anyPort;
}

function keyOf({ family, client, server, serverPort }: Omit<LiveAttempt, "clientPort">): string {
  return `${family}/${client}>${server}:${serverPort}`;
}
