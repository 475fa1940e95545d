/**
 * Connection attempts: SYNs held at the entrance of the pipe space.
 *
 * The kernel accepts every SYN that reaches a listening socket of the pipe space. So a SYN, with
 * its retransmissions, stays outside until the destination has answered. A client therefore sees
 * exactly the destination's answer: acceptance, refusal, or silence.
 *
 * The sequence number decides which attempt a packet belongs to. Addresses and ports alone do not
 * suffice:
 *
 * - A retransmission may arrive after its attempt was decided, because the client's later packets
 *   overtook it on the shortcut (sandbox/network/shortcut.ts). It repeats the attempt's sequence
 *   number. Treated as a new attempt, it would open a connection that no client wants.
 * - A client may reuse a port at once. A late packet of the old connection (an ACK, or data for a
 *   socket that was reset) then meets the new socket in SYN_SENT. That socket answers with a RST
 *   that carries the *old* connection's number, and continues to connect (RFC 9293, 3.10.7.3). Only
 *   a RST whose number follows the SYN's abandons the attempt, because only that RST answers our
 *   SYN-ACK.
 */
import type { ContainerIndex } from "../base/ids.ts";
import {
  destinationPortAt,
  sourcePortAt,
  TCP_ACK,
  tcpFlagsAt,
  tcpSequenceAt,
} from "../net/packet.ts";
import { writeReset } from "../net/refusal.ts";
import { virtioNetHeaderBytes } from "../sys/abi.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";
import type { SwitchedPacket } from "../switch/switch.ts";
import { type Connection, connectionKey } from "./core/connection.ts";
import { RecentMap } from "./core/recent-map.ts";

/** A SYN that a container sent, and its state. `Work` is the handler's own data about it. */
export interface Attempt<Work> {
  readonly connection: Connection;
  /**
   * The virtio header and SYN to let in; empty once the attempt is decided. While the SYN arrives
   * this is the switch's own memory, after {@link Attempts.keep} a copy. A retransmission replaces
   * it.
   */
  frame: Uint8Array;
  /** The sequence number of that SYN. */
  sequence: number;
  state: State;
  /**
   * The deadline of the current state. An open attempt counts as abandoned after it; an accepted
   * connection counts as newborn until then.
   */
  untilMs: number;
  work: Work | undefined;
}

/**
 * Open: `held` awaits a decision, `admitted` awaits the client's last ACK, `ignored` never gets an
 * answer. Over: `accepted`, `refused`, and `forgotten`, which acts as if the SYN had never come.
 */
type State = "held" | "admitted" | "ignored" | "accepted" | "refused" | "forgotten";

/**
 * The meaning of a SYN.
 *
 * - `new`: a container requests a connection. Decide now or later (admit, refuse, ignore or
 *   forget), and call {@link Attempts.keep} at the end of a call that does not decide.
 * - `repeated`: the client retransmitted the SYN of a held attempt.
 * - `pass`: the SYN of an admitted attempt, to be passed on to the pipe space.
 * - `drop`: nothing.
 */
export type Arrival<Work> =
  | { readonly type: "new" | "repeated"; readonly attempt: Attempt<Work> }
  | { readonly type: "pass" | "drop" };

const pass = { type: "pass" } as const;
const drop = { type: "drop" } as const;

/** The destination of frames: the switch. */
export interface AttemptExits {
  letIn(frame: Uint8Array): void;
  sendToContainer(
    from: ContainerIndex,
    to: ContainerIndex,
    frame: Region,
    frameBytes: number,
  ): void;
}

/**
 * How long a silent client still counts as present. An admitted client owes its ACK: five SYN-ACK
 * retries take 63 s (tcp(7)). A held client retransmits, the sixth time after another 64 s. If a
 * client resets an admitted connection, its kernel has already completed the handshake, and ours is
 * about to.
 */
const patienceMs = { admitted: 70_000, held: 130_000, reset: 1000 } as const;

/** Covers a descheduled vCPU; a genuine RST recurs when the client sends more. */
const newbornMs = 1000;

/**
 * Exceeds the number of attempts decided while a SYN waits in a device's queue, which the engine
 * reads within a few rounds.
 */
const leastRemembered = 4096;

export class Attempts<Work> {
  readonly #clock: { readonly nowMs: number };
  /** All open attempts, and the most recent of the others, by connection. */
  readonly #attempts = new RecentMap<Attempt<Work>>(leastRemembered, isOpen);
  /** A zeroed virtio header, followed by a RST. */
  readonly #answer = allocateRegion(128);
  readonly #exits: AttemptExits;

  constructor(clock: { readonly nowMs: number }, exits: AttemptExits) {
    this.#clock = clock;
    this.#exits = exits;
  }

  /**
   * The connection of an admitted attempt, if this SYN is not its own. Unless the pipe space's
   * kernel has accepted it, the SYN belongs to it all the same.
   */
  replacedBy(packet: SwitchedPacket): Connection | undefined {
    const connection = connectionOf(packet);
    const known = this.#attempts.get(connectionKey(connection));
    return known?.state === "admitted" && distanceFrom(known, packet) !== 0
      ? connection
      : undefined;
  }

  arrive(packet: SwitchedPacket): Arrival<Work> {
    const connection = connectionOf(packet);
    const key = connectionKey(connection);
    const sequence = tcpSequenceAt(packet.bytes, packet.view.transportAt);
    const frame = packet.bytes.subarray(0, packet.frameBytes);
    const known = this.#attempts.get(key);
    if (known && isRepeatedBy(known, sequence)) return this.#repeated(known, frame, sequence);
    const attempt: Attempt<Work> = {
      connection,
      frame,
      sequence,
      state: "held",
      untilMs: this.#clock.nowMs + patienceMs.held,
      work: undefined,
    };
    this.#attempts.set(key, attempt);
    return { type: "new", attempt };
  }

  /** Copies the frame of a held attempt, because the switch reuses its memory. */
  keep(attempt: Attempt<Work>): void {
    if (attempt.state === "held") attempt.frame = attempt.frame.slice();
  }

  #repeated(attempt: Attempt<Work>, frame: Uint8Array, sequence: number): Arrival<Work> {
    if (attempt.state === "refused") this.#sendReset(attempt.connection, frame);
    if (!isOpen(attempt)) return drop;
    attempt.sequence = sequence;
    if (attempt.state === "admitted") return pass;
    attempt.untilMs = this.#clock.nowMs + patienceMs.held;
    if (attempt.state === "ignored") return drop;
    attempt.frame = frame.slice();
    return { type: "repeated", attempt };
  }

  /** A client reset a connection. Returns the attempt that it abandons, if there is one. */
  reset(packet: SwitchedPacket): Attempt<Work> | undefined {
    const attempt = this.#attempts.get(connectionKey(connectionOf(packet)));
    if (!attempt || !isOpen(attempt)) return undefined;
    const distance = distanceFrom(attempt, packet);
    if (attempt.state === "admitted" && isOfConnected(packet)) {
      if (distance > 0) attempt.untilMs = this.#clock.nowMs + patienceMs.reset;
      return undefined;
    }
    return distance === 1 && this.#abandon(attempt) ? attempt : undefined;
  }

  /**
   * The pipe space's kernel answered a packet with a RST, for lack of a matching connection.
   * Returns whether to let that RST out.
   *
   * For a connection that was just let in, the RST is wrong. While one processor replaces the
   * kernel's half-open connection by the full one, a lookup on another processor briefly finds
   * neither, and answers the client's first data with a RST (inet_ehash_insert in
   * net/ipv4/inet_hashtables.c of Linux 6.18 removes the old entry before it inserts the new one).
   * Without the RST, the client retransmits.
   */
  mayReset({ view, bytes, from, to }: SwitchedPacket): boolean {
    const key = connectionKey({
      family: view.family,
      client: to,
      clientPort: destinationPortAt(bytes, view.transportAt),
      server: from,
      serverPort: sourcePortAt(bytes, view.transportAt),
    });
    const attempt = this.#attempts.get(key);
    if (attempt?.state === "admitted") return false;
    return !(attempt?.state === "accepted" && this.#clock.nowMs < attempt.untilMs);
  }

  /**
   * Lets the SYN in. The pipe space accepts the connection, and {@link take} then finds the
   * attempt.
   */
  admit(attempt: Attempt<Work>): void {
    const { frame } = attempt;
    decide(attempt, "admitted");
    attempt.untilMs = this.#clock.nowMs + patienceMs.admitted;
    this.#exits.letIn(frame);
  }

  /** Answers the SYN with a RST, like a host without a listener on that port. */
  refuse(attempt: Attempt<Work>): void {
    const { connection, frame } = attempt;
    decide(attempt, "refused");
    this.#sendReset(connection, frame);
  }

  #sendReset({ server, client }: Connection, frame: Uint8Array): void {
    const at = virtioNetHeaderBytes;
    const length = writeReset(this.#answer.bytes, at, frame, at);
    if (length > 0) this.#exits.sendToContainer(server, client, this.#answer, at + length);
  }

  /** Never answers this SYN or its retransmissions. */
  ignore(attempt: Attempt<Work>): void {
    decide(attempt, "ignored");
  }

  /** Forgets an attempt. A later retransmission counts as a new attempt. */
  forget(attempt: Attempt<Work>): void {
    decide(attempt, "forgotten");
  }

  /** Returns the admitted attempt of a connection that was just accepted, and closes it. */
  take(connection: Connection): Attempt<Work> | undefined {
    const attempt = this.#attempts.get(connectionKey(connection));
    if (attempt?.state !== "admitted") return undefined;
    attempt.state = "accepted";
    attempt.untilMs = this.#clock.nowMs + newbornMs;
    return attempt;
  }

  /** Abandons attempts whose client has fallen silent, and returns them. Call it periodically. */
  sweep(): readonly Attempt<Work>[] {
    const abandoned: Attempt<Work>[] = [];
    for (const attempt of this.#attempts.values())
      if (isOpen(attempt) && this.#clock.nowMs >= attempt.untilMs && this.#abandon(attempt))
        abandoned.push(attempt);
    return abandoned;
  }

  /** Returns whether anyone still works on the attempt. */
  #abandon(attempt: Attempt<Work>): boolean {
    const wasIgnored = attempt.state === "ignored";
    this.forget(attempt);
    return !wasIgnored;
  }
}

/** Moves an attempt to `state`. Only a held attempt needs its frame. */
function decide(attempt: Attempt<unknown>, state: State): void {
  attempt.state = state;
  attempt.frame = noFrame;
}

const noFrame = new Uint8Array(0);

function isOpen({ state }: Attempt<unknown>): boolean {
  return state === "held" || state === "admitted" || state === "ignored";
}

/**
 * Whether a SYN of the attempt's connection repeats this attempt. An open attempt takes any
 * sequence number, because its client may have replaced the SYN (tcp(7)).
 */
function isRepeatedBy(attempt: Attempt<unknown>, sequence: number): boolean {
  return isOpen(attempt) || (attempt.sequence === sequence && attempt.state !== "forgotten");
}

/**
 * Whether a RST comes from a connected client. The pipe space still accepts that connection, with
 * the data sent before the RST. Such a RST carries an ACK; a RST that answers a SYN-ACK does not
 * (RFC 9293, 3.5.2).
 */
function isOfConnected({ view, bytes }: SwitchedPacket): boolean {
  return (tcpFlagsAt(bytes, view.transportAt) & TCP_ACK) !== 0;
}

/**
 * The distance from the attempt's SYN to the packet's sequence number; negative if the packet is
 * older (RFC 9293, 3.4).
 */
function distanceFrom({ sequence }: Attempt<unknown>, { view, bytes }: SwitchedPacket): number {
  return (tcpSequenceAt(bytes, view.transportAt) - sequence) | 0;
}

function connectionOf({ view, bytes, from, to }: SwitchedPacket): Connection {
  return {
    family: view.family,
    client: from,
    clientPort: sourcePortAt(bytes, view.transportAt),
    server: to,
    serverPort: destinationPortAt(bytes, view.transportAt),
  };
}
