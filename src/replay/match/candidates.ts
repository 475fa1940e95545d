/**
 * Groups the recorded connections of one live process to one port of one server by opening, the
 * bytes that their clients sent first. Connections with equal openings form a class. A live
 * connection belongs to one of the classes that its first bytes fit. Within a class nothing
 * distinguishes connections but their order of opening.
 */
import type { ConnectionNumber } from "../../base/ids.ts";

/** The state of a candidate, apart from its opening. */
export interface Standing {
  /** Whether a live connection was matched with it. */
  isTaken(connection: ConnectionNumber): boolean;
  /** Whether the server accepted it. */
  isAccepted(connection: ConnectionNumber): boolean;
  /** Whether it was given up, and may still come. */
  isLate(connection: ConnectionNumber): boolean;
  /** Whether it is kept for a live connection that is not identified yet. */
  isKept(connection: ConnectionNumber): boolean;
  /** Its first event. */
  startOf(connection: ConnectionNumber): number;
  /**
   * Whether the client's recorded bytes begin with `bytes`, no matter when the server spoke in
   * between.
   */
  beginsWith(connection: ConnectionNumber, bytes: Uint8Array): boolean;
  /** Whether a recorded piece of the client's bytes ends at `offset`. */
  pausesAt(connection: ConnectionNumber, offset: number): boolean;
}

/**
 * How strongly a candidate is expected now.
 *
 * - 3: the process may open it, judging by what it has seen so far; or it has opened a connection
 *   early, for which this one is kept.
 * - 2: it should have come earlier, and was given up.
 * - 1: it is yet to come.
 * - 0: there is no candidate.
 */
export type Rank = 0 | 1 | 2 | 3;

/** The best of several candidates. Its maker reuses one object: read it before the next call. */
export interface Pick {
  readonly rank: Rank;
  readonly connection: ConnectionNumber;
}

/** A list of connections, of which a live connection takes the first free one. */
export class Candidates {
  readonly opening: Uint8Array;
  /** In ascending order. */
  readonly connections: readonly number[];
  readonly #standing: Standing;
  readonly #pick: { rank: Rank; connection: ConnectionNumber } = { rank: 0, connection: 0 };
  #from = 0;

  constructor(opening: Uint8Array, connections: readonly number[], standing: Standing) {
    this.opening = opening;
    this.connections = connections;
    this.#standing = standing;
  }

  /** Whether all connections are taken. */
  get isEmpty(): boolean {
    return this.#first() === undefined;
  }

  /**
   * The best candidate, given that the process may open connections that begin before `windowEnd`.
   */
  pick(windowEnd: number): Pick {
    return this.#pickWithout(windowEnd, () => false);
  }

  /** The best candidate that is neither kept for another live connection nor equal to `besides`. */
  pickFree(windowEnd: number, besides = 0): Pick {
    const standing = this.#standing;
    return this.#pickWithout(windowEnd, (one) => one === besides || standing.isKept(one));
  }

  #pickWithout(windowEnd: number, isExcluded: (connection: ConnectionNumber) => boolean): Pick {
    let late = 0;
    this.#first();
    for (let at = this.#from; at < this.connections.length; at++) {
      const connection = this.connections[at] as number;
      if (this.#standing.isTaken(connection) || isExcluded(connection)) continue;
      if (!this.#standing.isLate(connection)) {
        if (this.#isDue(connection, windowEnd)) return this.#say(3, connection);
        return late === 0 ? this.#say(1, connection) : this.#say(2, late);
      }
      if (late === 0) late = connection;
    }
    return this.#say(late === 0 ? 0 : 2, late);
  }

  #isDue(connection: ConnectionNumber, windowEnd: number): boolean {
    return this.#standing.startOf(connection) < windowEnd || this.#standing.isKept(connection);
  }

  /** A connection that was taken is free again. */
  rewind(): void {
    this.#from = 0;
  }

  #first(): number | undefined {
    let connection = this.connections[this.#from];
    while (connection !== undefined && this.#standing.isTaken(connection))
      connection = this.connections[++this.#from];
    return connection;
  }

  #say(rank: Rank, connection: ConnectionNumber): Pick {
    this.#pick.rank = rank;
    this.#pick.connection = connection;
    return this.#pick;
  }
}

/** All candidates for one live process, server and port. */
export class CandidateGroup {
  /** The candidates that the server accepted, by opening, in byte order. */
  readonly classes: readonly Candidates[];
  /** All candidates. */
  readonly all: Candidates;
  /** The candidates that the server did not accept. Nothing distinguishes them. */
  readonly unaccepted: Candidates;
  readonly count: number;
  /** The number of accepted candidates that are neither taken nor kept for a pending match. */
  free: number;
  readonly #openingOf: (connection: ConnectionNumber) => Uint8Array;
  readonly #classOf = new Map<number, Candidates>();
  readonly #standing: Standing;
  /** All classes before this index are empty. */
  #openFrom = 0;

  constructor(
    connections: readonly number[],
    openingOf: (connection: ConnectionNumber) => Uint8Array,
    standing: Standing,
  ) {
    this.#openingOf = openingOf;
    this.#standing = standing;
    const accepted = connections.filter((connection) => standing.isAccepted(connection));
    const nothing = new Uint8Array(0);
    this.count = connections.length;
    this.free = accepted.length;
    this.all = new Candidates(nothing, connections, standing);
    const unaccepted = connections.filter((connection) => !standing.isAccepted(connection));
    this.unaccepted = new Candidates(nothing, unaccepted, standing);
    this.classes = classify(accepted, openingOf, standing);
    for (const one of this.classes)
      for (const connection of one.connections) this.#classOf.set(connection, one);
  }

  /** The class of an accepted connection. */
  classOf(connection: ConnectionNumber): Candidates | undefined {
    return this.#classOf.get(connection);
  }

  /**
   * Whether the client sent these bytes on `connection`, but not all of them before the server
   * spoke. Where both speak at once, chance decides how many bytes make an opening.
   */
  hasLater(connection: ConnectionNumber, bytes: Uint8Array): boolean {
    const isLater = bytes.length > this.#openingOf(connection).length;
    return isLater && this.#standing.beginsWith(connection, bytes);
  }

  /** Whether the client sent just these bytes on `connection`, and more of its opening later. */
  hasFirst(connection: ConnectionNumber, bytes: Uint8Array): boolean {
    if (bytes.length >= this.#openingOf(connection).length) return false;
    const standing = this.#standing;
    return standing.pausesAt(connection, bytes.length) && standing.beginsWith(connection, bytes);
  }

  /** A connection that was taken is free again. */
  rewind(): void {
    this.#openFrom = 0;
    for (const one of [this.all, ...this.classes]) one.rewind();
  }

  /** Whether at least two classes are not empty, so that a connection needs to be identified. */
  get isMixed(): boolean {
    while (this.classes[this.#openFrom]?.isEmpty === true) this.#openFrom++;
    for (let at = this.#openFrom + 1; at < this.classes.length; at++)
      if (this.classes[at]?.isEmpty === false) return true;
    return false;
  }
}

function classify(
  connections: readonly number[],
  openingOf: (connection: ConnectionNumber) => Uint8Array,
  standing: Standing,
): Candidates[] {
  const sorted = connections
    .map((connection) => ({ connection, opening: openingOf(connection) }))
    .toSorted((a, b) => compareBytes(a.opening, b.opening) || a.connection - b.connection);
  const classes: Candidates[] = [];
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    const { opening } = sorted[from] as { opening: Uint8Array };
    while (to < sorted.length && compareBytes(opening, sorted[to]?.opening ?? opening) === 0) to++;
    const alike = sorted.slice(from, to).map(({ connection }) => connection);
    classes.push(new Candidates(opening, alike, standing));
  }
  return classes;
}

/** Negative, 0 or positive, like memcmp. Of two equal beginnings, the shorter comes first. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const difference = (a[at] as number) - (b[at] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
