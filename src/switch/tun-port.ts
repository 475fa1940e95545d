/**
 * Reads the packets of one device into a shared buffer, one frame at a time: a virtio header and an
 * IP packet.
 */
import type { Address, Fd } from "../base/units.ts";
import { EPOLLERR, virtioNetHeaderBytes } from "../sys/abi.ts";
import { read } from "../sys/libc.ts";
import type { Reactor, Watcher } from "../sys/reactor.ts";

/** A TUN packet has at most 65,535 bytes, plus its header. */
export const frameCapacityBytes: number = virtioNetHeaderBytes + 0xffff;
/** The maximum number of packets read from one device before the next gets its turn. */
const packetsPerTurn = 64;

/**
 * Reads one device, one turn at a time. The number of packets per turn adapts: a single packet is
 * read alone, and while a device has packets in every round, its turns double.
 */
export class TunPort implements Watcher {
  readonly #reactor: Reactor;
  readonly #tun: Fd;
  readonly #frame: Address;
  readonly #forward: (frameBytes: number) => void;
  #turnPackets = 1;
  #lastRound = 0;

  constructor(reactor: Reactor, tun: Fd, frame: Address, forward: (frameBytes: number) => void) {
    this.#reactor = reactor;
    this.#tun = tun;
    this.#frame = frame;
    this.#forward = forward;
  }

  onReady(events: number): void {
    // A command deleted its interface (tun_chr_poll in drivers/net/tun.c): epoll would never stop
    // reporting it.
    if ((events & EPOLLERR) !== 0) {
      this.#reactor.unwatch(this.#tun);
      return;
    }
    const { round } = this.#reactor;
    const isBurst = round - this.#lastRound <= 1;
    this.#turnPackets = isBurst ? Math.min(packetsPerTurn, this.#turnPackets * 2) : 1;
    this.#lastRound = round;
    for (let packets = 0; packets < this.#turnPackets; packets++) {
      const frameBytes = read(this.#tun, this.#frame, frameCapacityBytes);
      if (frameBytes > virtioNetHeaderBytes) this.#forward(frameBytes);
      // EAGAIN: the device is empty. EIO: a command took its interface down. There is nothing to
      // read.
      else if (frameBytes < 0) return;
    }
  }
}
