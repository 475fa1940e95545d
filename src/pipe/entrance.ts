/**
 * Passes what happens to connection attempts from the switch to those who decide about them: the
 * joiner of a recording, or the player of a replay.
 */
import type { SwitchedPacket, TcpInterceptor } from "../switch/switch.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import type { Connection } from "./core/connection.ts";

/** Decides attempts: a recorder asks the destination, a player asks the recording. */
export interface AttemptHandler<Work> {
  /** A container requests a connection. Decide now or later: admit, refuse, ignore or forget. */
  onAttempt(attempt: Attempt<Work>): void;
  /** The client retransmitted the SYN of a held attempt. */
  onRepeated(attempt: Attempt<Work>): void;
  /**
   * The client sent another SYN after one that was admitted. If it had connected before, and uses
   * the port again, the kernel has a connection to accept: accept it now.
   */
  onReplaced(connection: Connection): void;
  /** The client gave up a held attempt, or one that was admitted but not yet accepted. */
  onAbandoned(attempt: Attempt<Work>): void;
}

export class Entrance<Work> implements TcpInterceptor {
  readonly #attempts: Attempts<Work>;
  readonly #handler: AttemptHandler<Work>;

  constructor(attempts: Attempts<Work>, handler: AttemptHandler<Work>) {
    this.#attempts = attempts;
    this.#handler = handler;
  }

  onSyn(packet: SwitchedPacket): boolean {
    const replaced = this.#attempts.replacedBy(packet);
    if (replaced) this.#handler.onReplaced(replaced);
    const arrival = this.#attempts.arrive(packet);
    if (arrival.type === "new") {
      this.#handler.onAttempt(arrival.attempt);
      this.#attempts.keep(arrival.attempt);
    } else if (arrival.type === "repeated") this.#handler.onRepeated(arrival.attempt);
    return arrival.type === "pass";
  }

  onReset(packet: SwitchedPacket): void {
    const abandoned = this.#attempts.reset(packet);
    if (abandoned) this.#handler.onAbandoned(abandoned);
  }

  onBareReset(packet: SwitchedPacket): boolean {
    return this.#attempts.mayReset(packet);
  }
}
