/**
 * Connections on their way: the SYNs that are held at the door of the pipe space.
 *
 * A SYN is not let in before it is known what the destination says, because what is let in is accepted
 * by the kernel at once. Until then its retransmissions are held with it. So a process sees exactly
 * what the destination answered: acceptance, refusal, or nothing at all.
 *
 * A retransmission may also come late, when its connection is decided: it was sent before the client heard
 * of it, and what the client sent afterwards took the shortcut past it (sandbox/shortcut.ts). It is known
 * by its sequence number. Taken for a new attempt it would become a connection that nobody asked for.
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
import type { Gate, SwitchedPacket } from "../switch/switch.ts";
import { type Connection, connectionKey } from "./connection.ts";

/** A SYN that a container sent, and what became of it so far. */
export interface Attempt {
  readonly connection: Connection;
  /** The connection's, see {@link connectionKey}. */
  readonly key: string;
  /** The frame to let in: virtio header and SYN. A retransmission replaces it. */
  frame: Uint8Array;
  /** The sequence number of that SYN. */
  sequence: number;
  /** `held` until decided; `admitted` waits for the client's last ACK; `ignored` is never answered. */
  state: "held" | "admitted" | "ignored";
  /** When its client counts as gone if nothing comes of it. */
  untilMs: number;
}

/** Who decides about attempts: a recorder asks the destination, a player asks the recording. */
export interface AttemptHandler {
  /** A container asks for a connection. To be decided now or later: admit, refuse or ignore. */
  onAttempt(attempt: Attempt): void;
  /** The client asks again for an attempt that is held. */
  onRepeated(attempt: Attempt): void;
  /** The client gave up an attempt that was not decided, or was admitted but not accepted yet. */
  onAbandoned(attempt: Attempt): void;
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

export class Attempts implements Gate {
  readonly #handler: AttemptHandler;
  readonly #clock: { readonly nowMs: number };
  readonly #attempts = new Map<string, Attempt>();
  readonly #refused = new LateSyns();
  readonly #accepted = new LateSyns();
  /** A virtio header of zeros, and a RST behind it. */
  readonly #answer = allocateRegion(128);
  #exits: AttemptExits | undefined;

  constructor(handler: AttemptHandler, clock: { readonly nowMs: number }) {
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
    const frame = packet.bytes.slice(0, packet.frameBytes);
    const known = this.#attempts.get(key);
    if (known) {
      known.frame = frame;
      known.sequence = sequence;
      if (known.state === "admitted") return true;
      known.untilMs = this.#clock.nowMs + patienceMs.held;
      if (known.state === "held") this.#handler.onRepeated(known);
      return false;
    }
    if (this.#accepted.has(key, sequence)) return false;
    if (this.#refused.has(key, sequence)) {
      this.#sendReset(connection, frame);
      return false;
    }
    const untilMs = this.#clock.nowMs + patienceMs.held;
    const attempt: Attempt = { connection, key, frame, sequence, state: "held", untilMs };
    this.#attempts.set(key, attempt);
    this.#handler.onAttempt(attempt);
    return false;
  }

  onReset(packet: SwitchedPacket): void {
    if (this.#attempts.size === 0) return;
    const key = connectionKey(connectionOf(packet));
    const attempt = this.#attempts.get(key);
    if (!attempt) return;
    if (attempt.state === "admitted" && isOfConnected(packet)) {
      attempt.untilMs = this.#clock.nowMs + patienceMs.reset;
      return;
    }
    this.#attempts.delete(key);
    if (attempt.state !== "ignored") this.#handler.onAbandoned(attempt);
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
    if (this.#attempts.get(key)?.state === "admitted") return false;
    const ageMs = this.#clock.nowMs - this.#accepted.atMs(key);
    return !(ageMs < newbornMs);
  }

  /** Lets the SYN in: the pipe space accepts the connection, and {@link take} will find the attempt. */
  admit(attempt: Attempt): void {
    attempt.state = "admitted";
    attempt.untilMs = this.#clock.nowMs + patienceMs.admitted;
    this.#exits?.letIn(attempt.frame);
  }

  /** Answers the SYN with a RST, as a host does on whose port nobody listens. */
  refuse(attempt: Attempt): void {
    this.forget(attempt);
    this.#sendReset(attempt.connection, attempt.frame);
    this.#refused.add(attempt.key, attempt.sequence, this.#clock.nowMs);
  }

  #sendReset({ server, client }: Connection, frame: Uint8Array): void {
    const at = virtioNetHeaderBytes;
    const length = writeReset(this.#answer.bytes, at, frame, at);
    if (length > 0) this.#exits?.sendToContainer(server, client, this.#answer, at + length);
  }

  /** Never answers this SYN nor its retransmissions. */
  ignore(attempt: Attempt): void {
    attempt.state = "ignored";
  }

  /** Forgets an attempt; its next retransmission, if any, counts as a new one. */
  forget(attempt: Attempt): void {
    this.#attempts.delete(attempt.key);
  }

  /** The admitted attempt for a connection that was just accepted. It is no attempt any more. */
  take(connection: Connection): Attempt | undefined {
    const key = connectionKey(connection);
    const attempt = this.#attempts.get(key);
    if (attempt?.state !== "admitted") return undefined;
    this.#attempts.delete(key);
    this.#accepted.add(key, attempt.sequence, this.#clock.nowMs);
    return attempt;
  }

  /** Gives up attempts whose client has fallen silent. To be called now and then. */
  sweep(): void {
    for (const [key, attempt] of this.#attempts) {
      if (this.#clock.nowMs < attempt.untilMs) continue;
      this.#attempts.delete(key);
      if (attempt.state !== "ignored") this.#handler.onAbandoned(attempt);
    }
  }
}

/** The SYN of a connection that was decided, and when. */
interface Decided {
  readonly sequence: number;
  readonly atMs: number;
}

/** The SYNs that were decided last, by connection. */
class LateSyns {
  #newer = new Map<string, Decided>();
  #older = new Map<string, Decided>();

  has(key: string, sequence: number): boolean {
    return this.#get(key)?.sequence === sequence;
  }

  /** When the connection was decided; NaN if that is not known any more. */
  atMs(key: string): number {
    return this.#get(key)?.atMs ?? Number.NaN;
  }

  add(key: string, sequence: number, atMs: number): void {
    this.#newer.set(key, { sequence, atMs });
    if (this.#newer.size < leastLateSyns) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  #get(key: string): Decided | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }
}

/** Long enough for a processor that was taken away in the middle; what is no mistake is said again when more is sent. */
const newbornMs = 1000;

/** So many are remembered at least: more than are decided while a SYN waits in a device's queue, which is read within a few rounds. */
const leastLateSyns = 4096;

/**
 * Whether a RST comes from a client that was connected, which the pipe space will accept all the same, with
 * what was sent before it. Such a RST acknowledges; one that answers a SYN-ACK does not (RFC 9293, 3.5.2).
 */
function isOfConnected({ view, bytes }: SwitchedPacket): boolean {
  return (tcpFlagsAt(bytes, view.transportAt) & TCP_ACK) !== 0;
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
