/**
 * A live connection that is not identified yet. Its first bytes decide which recorded one it is.
 *
 * All classes are sorted by opening, so the classes that fit form an interval, which every byte
 * narrows. A class whose opening is complete fits as well as one with a longer opening. Once
 * another byte comes, the longer ones take precedence.
 *
 * If the recorded server spoke early on the kept connection, its opening is shorter than what a
 * client sends that is not answered yet. So as long as the bytes are what the client sent there,
 * the kept connection still counts, and it wins over others when no more bytes come. It also wins
 * if its client paused after the same bytes.
 *
 * Silence decides nothing if the kept connection opened with bytes, because they may still come.
 */
import type { ConnectionNumber, ContainerIndex } from "../../base/ids.ts";
import { concat } from "../../base/bytes.ts";
import { assert } from "../../base/assert.ts";
import type { CandidateGroup, Candidates, Pick, Rank } from "./candidates.ts";

/** Receives the decisions of a pending match. */
export interface PendingHooks {
  /** The live connection is `connection`. */
  onDecided(connection: ConnectionNumber): void;
  /**
   * The live connection is taken for `connection`, but could equally be another of `candidates`.
   */
  onAmbiguous(connection: ConnectionNumber, candidates: readonly number[]): void;
}

/** A report of indistinguishable candidates names at most this many. */
const mostNamed = 8;

export class PendingMatch {
  /** The live process that opened the connection. */
  readonly client: ContainerIndex;
  /** The recorded connection that counts as opened in place of this one until it is identified. */
  kept: number;
  readonly #group: CandidateGroup;
  readonly #windowEnd: number;
  readonly #hooks: PendingHooks;
  #decided = false;
  #isSilent = true;
  /**
   * The interval of classes, and the length of the live bytes that all their openings begin with.
   */
  #from = 0;
  #to: number;
  #depth = 0;
  /** What the client has sent. */
  #sent = new Uint8Array(0);
  /** Classes whose whole openings came, followed by other bytes. The longest is last. */
  readonly #usedUp: Candidates[] = [];

  constructor(
    client: ContainerIndex,
    group: CandidateGroup,
    kept: number,
    windowEnd: number,
    hooks: PendingHooks,
  ) {
    this.client = client;
    this.kept = kept;
    this.#group = group;
    this.#windowEnd = windowEnd;
    this.#hooks = hooks;
    this.#to = group.classes.length;
  }

  /** Whether the client has sent nothing. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Whether the match can be decided once the client has fallen quiet. */
  get canSettle(): boolean {
    return !this.#isSilent || this.#speaksSecond(this.kept);
  }

  /** Whether both matches are for the same port of the same server. */
  isLike(other: PendingMatch): boolean {
    return this.#group === other.#group;
  }

  /** Takes the next bytes of the client. Returns the connection's number once it is known. */
  push(bytes: Uint8Array, at: number, lengthBytes: number): number | undefined {
    this.#isSilent = false;
    this.#sent = concat(this.#sent, bytes.subarray(at, at + lengthBytes));
    for (let i = at; i < at + lengthBytes; i++)
      if (!this.#narrow(bytes[i] as number)) return this.#decide(this.#likeliest());
    return this.#certain();
  }

  /** Whether the client has sent nothing that does not fit the kept connection. */
  get fitsKept(): boolean {
    return this.#isSilent || this.#isLaterOnKept();
  }

  /** Decides for `connection`, because the recorded server speaks first on it. */
  decideFor(connection: ConnectionNumber): number {
    return this.#decide(connection);
  }

  /** The process has fallen quiet. Decides by the bytes so far if the match {@link canSettle}. */
  settle(): number | undefined {
    if (!this.canSettle) return undefined;
    return this.#isSilent ? this.#decide(this.kept) : this.conclude();
  }

  /** Decides by the bytes so far, because the process ended the connection. */
  conclude(): number {
    if (this.#isSilent && this.#speaksSecond(this.kept)) return this.#decide(this.kept);
    if (this.#isLaterOnKept() || this.#group.hasFirst(this.kept, this.#sent))
      return this.#decide(this.kept);
    const alike = this.#bestOf(this.#from, this.#to);
    const exact = this.#class(this.#from);
    if (exact?.opening.length === this.#depth) {
      const { connection } = this.#pick(exact);
      if (alike.includes(connection)) return this.#decide(connection);
    }
    const [connection] = alike;
    if (connection === undefined) return this.#decide(this.#likeliest());
    if (alike.length > 1) this.#hooks.onAmbiguous(connection, alike.slice(0, mostNamed));
    return this.#decide(connection);
  }

  #isLaterOnKept(): boolean {
    return this.#group.hasLater(this.kept, this.#sent);
  }

  #speaksSecond(connection: ConnectionNumber): boolean {
    const [first] = this.#group.classes;
    return first?.opening.length === 0 && first === this.#group.classOf(connection);
  }

  #class(at: number): Candidates | undefined {
    return at < this.#to ? this.#group.classes[at] : undefined;
  }

  /**
   * Narrows the interval by a byte. If no remaining class continues with it, leaves the interval
   * unchanged and returns false.
   */
  #narrow(byte: number): boolean {
    const first = this.#class(this.#from);
    if (first?.opening.length === this.#depth) {
      this.#usedUp.push(first);
      this.#from++;
    }
    const from = this.#bound(byte);
    const to = this.#bound(byte + 1);
    const isSame = from === this.#from && to === this.#to;
    if (from === to || (!isSame && !this.#hasOpen(from, to))) return false;
    this.#from = from;
    this.#to = to;
    this.#depth++;
    return true;
  }

  /** The first class of the interval whose next byte is at least `byte`. */
  #bound(byte: number): number {
    let from = this.#from;
    let to = this.#to;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const next = this.#group.classes[middle]?.opening[this.#depth] as number;
      if (next < byte) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #hasOpen(from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.#class(at)?.isEmpty === false) return true;
    return false;
  }

  /**
   * Decides if only one class remains, or if one fits exactly and the process cannot have opened
   * another of the rest yet.
   */
  #certain(): number | undefined {
    let only: Candidates | undefined;
    let open = 0;
    for (let at = this.#from; at < this.#to && open < 2; at++) {
      const one = this.#group.classes[at] as Candidates;
      if (one.isEmpty) continue;
      only ??= one;
      open++;
    }
    if (only === undefined) return this.#decide(this.#likeliest());
    const isExact = only.opening.length === this.#depth;
    if (open > 1 && !(isExact && this.#isAlone(only))) return undefined;
    if (this.#isLaterOnKept()) return undefined;
    return this.#decide(this.#pick(only).connection);
  }

  #isAlone(exact: Candidates): boolean {
    if (this.#pick(exact).rank < 2) return false;
    for (let at = this.#from; at < this.#to; at++) {
      const one = this.#group.classes[at] as Candidates;
      if (one !== exact && this.#pick(one).rank === 3) return false;
    }
    return true;
  }

  /**
   * The best guess when no opening fits: the kept connection if its client sent these bytes later,
   * a class whose whole opening came, or else the best of those that fitted until now.
   */
  #likeliest(): number {
    if (this.#isLaterOnKept()) return this.kept;
    const whole = this.#usedUp.findLast((one) => !one.isEmpty && one.opening.length > 0);
    if (whole !== undefined) return this.#pick(whole).connection;
    const [connection] = this.#bestOf(this.#from, this.#to);
    return connection ?? (this.#bestOf(0, this.#group.classes.length)[0] as number);
  }

  /**
   * The candidates with the highest rank in the classes from `from` to `to`, one per class, in
   * order.
   */
  #bestOf(from: number, to: number): number[] {
    let best: Rank = 1;
    let connections: number[] = [];
    for (let at = from; at < to; at++) {
      const { rank, connection } = this.#pick(this.#group.classes[at] as Candidates);
      if (rank > best) {
        best = rank;
        connections = [];
      }
      if (rank === best) connections.push(connection);
    }
    return connections.toSorted((a, b) => a - b);
  }

  /** The kept connection if it is in the class, else the next in order. */
  #pick(one: Candidates): Pick {
    const isKept = one === this.#group.classOf(this.kept);
    return isKept ? { rank: 3, connection: this.kept } : one.pick(this.#windowEnd);
  }

  #decide(connection: ConnectionNumber): number {
    assert(!this.#decided && connection > 0, "a match is decided once, and there is one");
    this.#decided = true;
    this.#hooks.onDecided(connection);
    return connection;
  }
}
