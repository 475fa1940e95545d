/**
 * Packets that are not TCP, from live processes to containers that are played: a played answer waits for
 * as many as there had been before it. They are counted, not compared, because packets may get lost.
 */

interface Count {
  sent: number;
  passed: number;
  giveUps: number;
}

export class PacketCounts {
  readonly #counts = new Map<number, Count>();

  /** The live process sent one. */
  note(sender: number, receiver: number): void {
    this.#count(sender, receiver).sent++;
  }

  /** Whether the next recorded one was sent. */
  isSettled(sender: number, receiver: number): boolean {
    const { sent, passed } = this.#count(sender, receiver);
    return sent > passed;
  }

  /** The recording's next one is behind. */
  pass(sender: number, receiver: number): void {
    this.#count(sender, receiver).passed++;
  }

  /** It is not waited for any longer. */
  giveUp(sender: number, receiver: number): void {
    const count = this.#count(sender, receiver);
    count.sent++;
    count.giveUps++;
  }

  giveUps(sender: number, receiver: number): number {
    return this.#count(sender, receiver).giveUps;
  }

  #count(sender: number, receiver: number): Count {
    const key = sender * 0x1_0000 + receiver;
    let count = this.#counts.get(key);
    if (count === undefined) this.#counts.set(key, (count = { sent: 0, passed: 0, giveUps: 0 }));
    return count;
  }
}
