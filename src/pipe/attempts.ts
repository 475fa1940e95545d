/**
 * Connection attempts: the SYNs that are held at the door of the pipe space.
 *
 * A SYN is not let in before the destination has answered, because the kernel accepts at once whatever
 * is let in. Until then its retransmissions are held with it. So a process sees exactly the
 * destination's answer: acceptance, refusal, or nothing at all.
 *
 * Sequence numbers say which attempt a packet belongs to; addresses and ports alone do not.
 *
 * - A retransmission may arrive after its attempt was decided: the client sent it before it heard the
 *   answer, and its later packets overtook it on the shortcut (sandbox/shortcut.ts). It repeats the
 *   attempt's sequence number. Taken for a new attempt, it would become a connection that nobody asked
 *   for.
 * - A client may reuse a port at once. Then a late packet of the old connection (an ACK, or data for a
 *   socket that was reset) meets its new socket in SYN_SENT, which answers with a RST that carries the
 *   *old* connection's number, and goes on connecting (RFC 9293, 3.10.7.3). Only a RST whose number
 *   follows the SYN's abandons the attempt: that one answers our SYN-ACK.
 */
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
import type { TcpInterceptor, SwitchedPacket } from "../switch/switch.ts";
import { type Connection, connectionKey } from "./core/connection.ts";
import { RecentMap } from "./core/recent-map.ts";

/** A SYN that a container sent, and its state so far. `Work` is whatever its handler keeps with it. */
export interface Attempt<Work> {
  readonly connection: Connection;
  /**
   * The frame to let in: virtio header and SYN, empty once that is decided. It is the switch's own memory
   * while {@link AttemptHandler.onAttempt} is called, and a copy afterwards. A retransmission replaces it.
   */
  frame: Uint8Array;
  /** The sequence number of that SYN. */
  sequence: number;
  state: State;
  /**
   * While it is open: when its client counts as gone if nothing comes of it. Once it is accepted: until when
   * the connection is newborn.
   */
  untilMs: number;
  work: Work | undefined;
}

/**
 * Three are open: `held` until it is decided, `admitted` waits for the client's last ACK, `ignored` is never
 * answered. Three are over: `accepted`, `refused`, and `forgotten`, as if it had never come.
 */
type State = "held" | "admitted" | "ignored" | "accepted" | "refused" | "forgotten";

/** Who decides about attempts: a recorder asks the destination, a player asks the recording. */
export interface AttemptHandler<Work> {
  /** A container asks for a connection. To be decided now or later: admit, refuse or ignore. */
  onAttempt(attempt: Attempt<Work>): void;
  /** The client asks again for an attempt that is held. */
  onRepeated(attempt: Attempt<Work>): void;
  /** The client gave up an attempt that was not decided, or was admitted but not accepted yet. */
  onAbandoned(attempt: Attempt<Work>): void;
}

/** Where the frames go: the switch. */
export interface AttemptExits {
  letIn(frame: Uint8Array): void;
  sendToContainer(from: number, to: number, frame: Region, frameBytes: number): void;
}

/**
 * How long a client may be silent until it counts as gone. One that was admitted owes its ACK: five
 * SYN-ACK retries take 63 s (tcp(7)). One that is held asks again, the sixth time after another 64 s. One
 * that has reset the connection already was accepted by the kernel before, and is about to be by us.
 */
const patienceMs = { admitted: 70_000, held: 130_000, reset: 1000 } as const;

/** Long enough for a processor that was taken away in the middle; what is no mistake is said again when more is sent. */
const newbornMs = 1000;

/** More than are decided while a SYN waits in a device's queue, which is read within a few rounds. */
const leastRemembered = 4096;

export class Attempts<Work> implements TcpInterceptor {
  readonly #handler: AttemptHandler<Work>;
  readonly #clock: { readonly nowMs: number };
  /** Those that are open, and the last of the others, by connection. */
  readonly #attempts = new RecentMap<Attempt<Work>>(leastRemembered, isOpen);
  /** A virtio header of zeros, and a RST behind it. */
  readonly #answer = allocateRegion(128);
  #exits: AttemptExits | undefined;

  constructor(handler: AttemptHandler<Work>, clock: { readonly nowMs: number }) {
    this.#handler = handler;
    this.#clock = clock;
  }

  /** Says where frames go. The switch needs the gate first, so this comes after. */
  connectTo(exits: AttemptExits): void {
    this.#exits = exits;
  }

  onSyn(packet: SwitchedPacket): boolean {
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
    this.#handler.onAttempt(attempt);
    if (attempt.state === "held") attempt.frame = frame.slice();
    return false;
  }

  /** What is to be done with a retransmission. True lets it on. */
  #repeated(attempt: Attempt<Work>, frame: Uint8Array, sequence: number): boolean {
    if (attempt.state === "refused") this.#sendReset(attempt.connection, frame);
    if (!isOpen(attempt)) return false;
    attempt.sequence = sequence;
    if (attempt.state === "admitted") return true;
    attempt.untilMs = this.#clock.nowMs + patienceMs.held;
    if (attempt.state === "ignored") return false;
    attempt.frame = frame.slice();
    this.#handler.onRepeated(attempt);
    return false;
  }

  onReset(packet: SwitchedPacket): void {
    const attempt = this.#attempts.get(connectionKey(connectionOf(packet)));
    if (!attempt || !isOpen(attempt)) return;
    const distance = distanceFrom(attempt, packet);
    if (attempt.state === "admitted" && isOfConnected(packet)) {
      if (distance > 0) attempt.untilMs = this.#clock.nowMs + patienceMs.reset;
    } else if (distance === 1) this.#abandon(attempt);
  }

  /**
   * The pipe space says of a packet that it belongs to no connection. That is wrong, and is not let out,
   * where the connection was let in just before: while one processor turns the kernel's half-open
   * connection into a whole one, another that looks for it finds neither for a moment, and answers what
   * the client has sent by then with a RST (inet_ehash_insert in net/ipv4/inet_hashtables.c of Linux 6.18:
   * the old entry is taken out before the new one is put in). Left alone, the client sends again.
   */
  onBareReset({ view, bytes, from, to }: SwitchedPacket): boolean {
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

  /** Lets the SYN in: the pipe space accepts the connection, and {@link take} will find the attempt. */
  admit(attempt: Attempt<Work>): void {
    const { frame } = attempt;
    decide(attempt, "admitted");
    attempt.untilMs = this.#clock.nowMs + patienceMs.admitted;
    this.#exits?.letIn(frame);
  }

  /** Answers the SYN with a RST, as a host does on whose port nobody listens. */
  refuse(attempt: Attempt<Work>): void {
    const { connection, frame } = attempt;
    decide(attempt, "refused");
    this.#sendReset(connection, frame);
  }

  #sendReset({ server, client }: Connection, frame: Uint8Array): void {
    const at = virtioNetHeaderBytes;
    const length = writeReset(this.#answer.bytes, at, frame, at);
    if (length > 0) this.#exits?.sendToContainer(server, client, this.#answer, at + length);
  }

  /** Never answers this SYN nor its retransmissions. */
  ignore(attempt: Attempt<Work>): void {
    decide(attempt, "ignored");
  }

  /** Forgets an attempt; its next retransmission, if any, counts as a new one. */
  forget(attempt: Attempt<Work>): void {
    decide(attempt, "forgotten");
  }

  /** The admitted attempt for a connection that was just accepted. It is not open any more. */
  take(connection: Connection): Attempt<Work> | undefined {
    const attempt = this.#attempts.get(connectionKey(connection));
    if (attempt?.state !== "admitted") return undefined;
    attempt.state = "accepted";
    attempt.untilMs = this.#clock.nowMs + newbornMs;
    return attempt;
  }

  /** Gives up attempts whose client has fallen silent. To be called now and then. */
  sweep(): void {
    for (const attempt of this.#attempts.values())
      if (isOpen(attempt) && this.#clock.nowMs >= attempt.untilMs) this.#abandon(attempt);
  }

  #abandon(attempt: Attempt<Work>): void {
    const wasIgnored = attempt.state === "ignored";
    this.forget(attempt);
    if (!wasIgnored) this.#handler.onAbandoned(attempt);
  }
}

/** Only an attempt that is held needs its frame. */
function decide(attempt: Attempt<unknown>, state: State): void {
  attempt.state = state;
  attempt.frame = noFrame;
}

const noFrame = new Uint8Array(0);

function isOpen({ state }: Attempt<unknown>): boolean {
  return state === "held" || state === "admitted" || state === "ignored";
}

/** Whether a SYN of the attempt's connection is one of this attempt: if that is open, it may have been replaced (tcp(7)). */
function isRepeatedBy(attempt: Attempt<unknown>, sequence: number): boolean {
  return isOpen(attempt) || (attempt.sequence === sequence && attempt.state !== "forgotten");
}

/**
 * Whether a RST comes from a client that was connected, which the pipe space will accept all the same, with
 * what was sent before it. Such a RST acknowledges; one that answers a SYN-ACK does not (RFC 9293, 3.5.2).
 */
function isOfConnected({ view, bytes }: SwitchedPacket): boolean {
  return (tcpFlagsAt(bytes, view.transportAt) & TCP_ACK) !== 0;
}

/** How far the packet's sequence number is ahead of the attempt's SYN; negative if it is behind (RFC 9293, 3.4). */
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
