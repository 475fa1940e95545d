/**
 * The switch: takes packets out of the containers' TUN devices and the pipe space's, and puts each
 * into the one it is for. TCP is exchanged with the pipe space, all else passes from container to
 * container; every packet as it is. Of TCP there is little: most of it takes the shortcut
 * (sandbox/shortcut.ts), and only what begins or breaks off a connection comes by here.
 *
 * A packet lies in one buffer, behind its virtio header, which is handed on as it came. So one `read`
 * and one `write` carry up to 64 KiB. Nothing is queued: the kernel's queues are before and behind us,
 * and a device that does not take a packet loses it, as a wire would, which TCP repairs. Where a link
 * was asked for (links.ts), a packet is held by it, comes back into the buffer when it arrives, and goes
 * on from there.
 */
import { assert } from "../base/assert.ts";
import type { Address, Fd } from "../base/units.ts";
import { IPPROTO_TCP, PacketView, TCP_ACK, TCP_RST, TCP_SYN, tcpFlagsAt } from "../net/packet.ts";
import { writeHostUnreachable } from "../net/refusal.ts";
import { VIRTIO_NET_HDR_GSO_UDP_L4, virtioNetHeaderBytes } from "../sys/abi.ts";
import { write } from "../sys/libc.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";
import type { Reactor } from "../sys/reactor.ts";
import type { Subnet } from "../net/subnet.ts";
import { Exit, Links } from "./links.ts";
import type { LinkSetup } from "./core/link-plan.ts";
import { completeChecksum, hasPartialChecksum } from "./partial-checksum.ts";
import { Routes, Verdict } from "./core/route.ts";
import { Trains } from "./trains.ts";
import { frameCapacityBytes, TunPort } from "./tun-port.ts";

/** What decides about connections: the pipe space. `bytes` is the switch's buffer, valid during the call. */
export interface TcpInterceptor {
  /** A SYN from one container to another. True lets it on into the pipe space. */
  onSyn(packet: SwitchedPacket): boolean;
  /** A RST on its way into the pipe space. */
  onReset(packet: SwitchedPacket): void;
  /** A RST without ACK on its way out of the pipe space. True lets it on. */
  onBareReset(packet: SwitchedPacket): boolean;
}

/** Who wants to know of the packets that pass as they are. */
export interface PacketObserver {
  /**
   * A non-TCP packet from one container to another, or to all (-1), lies in `bytes` during the call.
   * False drops it: what is not recorded is not delivered.
   */
  onPacket(from: number, to: number, bytes: Uint8Array, at: number, lengthBytes: number): boolean;
}

/** The packet in hand: `view` lies in `bytes`; behind the virtio header at `frameAt` come `frameBytes - 10` of it. */
export interface SwitchedPacket {
  readonly bytes: Uint8Array;
  readonly view: PacketView;
  /** The containers it goes from and to, by index. */
  from: number;
  to: number;
  frameBytes: number;
}

/** How many packets were not delivered, by reason. Those that links lost are the links' to count. */
export interface DropCounts {
  /** No whole IP packet. */
  malformed: number;
  /** See {@link Verdict.foreign}. */
  foreign: number;
  /** The device that was to receive it did not take it. */
  refused: number;
}

export class Switch {
  readonly drops: DropCounts = { malformed: 0, foreign: 0, refused: 0 };
  readonly #reactor: Reactor;
  readonly #routes: Routes;
  readonly #gate: TcpInterceptor;
  readonly #observer: PacketObserver | undefined;
  readonly #links: Links | undefined;
  readonly #tuns: readonly Fd[];
  readonly #pipeTun: Fd;
  readonly #frame = allocateRegion(frameCapacityBytes);
  readonly #answer = allocateRegion(2048);
  readonly #trains = new Trains();
  readonly #packet: SwitchedPacket = {
    bytes: this.#frame.bytes,
    view: new PacketView(),
    from: 0,
    to: 0,
    frameBytes: 0,
  };

  constructor(parts: {
    readonly reactor: Reactor;
    readonly subnets: readonly Subnet[];
    /** The containers' devices, by index. Owned by the sandbox. */
    readonly tuns: readonly Fd[];
    readonly pipeTun: Fd;
    readonly gate: TcpInterceptor;
    readonly observer?: PacketObserver | undefined;
    /** What lies between the containers, and when the run began by the reactor's clock. */
    readonly links?: { readonly setup: LinkSetup; readonly startMs: number } | undefined;
  }) {
    this.#reactor = parts.reactor;
    this.#routes = new Routes(parts.subnets, parts.tuns.length);
    this.#tuns = parts.tuns;
    this.#pipeTun = parts.pipeTun;
    this.#gate = parts.gate;
    this.#observer = parts.observer;
    const onArrival = this.#onArrival.bind(this);
    this.#links =
      parts.links &&
      new Links({ ...parts.links, reactor: this.#reactor, frame: this.#frame, onArrival });
    this.#tuns.forEach((tun, from) => this.#attach(tun, () => this.#forwardFromContainer(from)));
    this.#attach(this.#pipeTun, () => this.#forwardFromPipeSpace());
  }

  /** Lets a frame (a virtio header, then a SYN) that the gate had held into the pipe space. It is copied. */
  letIn(frame: Uint8Array): void {
    this.#frame.bytes.set(frame);
    this.#deliver(this.#pipeTun, this.#frame.address, frame.length);
  }

  /** Puts a frame (a virtio header, then an IP packet) that comes from another container into this one. */
  sendToContainer(from: number, to: number, frame: Region, frameBytes: number): void {
    if (this.#links?.isBetween(from, to)) {
      this.#frame.bytes.set(frame.bytes.subarray(0, frameBytes));
      const isTcp = this.#take(frameBytes) && this.#packet.view.protocol === IPPROTO_TCP;
      if (this.#links.take(isTcp ? Exit.container : Exit.copy, from, to, frameBytes)) return;
    }
    this.#deliverTo(to, frame.address, frameBytes);
  }

  /** Puts a frame that has crossed its link already into a container. */
  deliverToContainer(to: number, frame: Region, frameBytes: number): void {
    this.#deliverTo(to, frame.address, frameBytes);
  }

  /** How many packets are on their way over links. */
  get heldPackets(): number {
    return this.#links?.heldPackets ?? 0;
  }

  /** What crossed the links, if there are any. */
  get linkCounts(): Links["counts"] | undefined {
    return this.#links?.counts;
  }

  /** Frees what the switch has made itself. The devices are the sandbox's. */
  close(): void {
    this.#links?.close();
  }

  #attach(tun: Fd, forward: () => void): void {
    const port = new TunPort(this.#reactor, tun, this.#frame.address, (frameBytes) => {
      if (this.#take(frameBytes)) forward();
    });
    this.#reactor.watchLevel(tun, port);
  }

  /** Looks at the frame that was just read. False if it is not a whole IP packet. */
  #take(frameBytes: number): boolean {
    const packet = this.#packet;
    packet.frameBytes = frameBytes;
    const at = virtioNetHeaderBytes;
    if (packet.view.parse(packet.bytes, at, frameBytes - at)) return true;
    this.drops.malformed++;
    return false;
  }

  #forwardFromContainer(from: number): void {
    const packet = this.#packet;
    const routes = this.#routes;
    const verdict = routes.fromContainer(packet.view, packet.bytes, from);
    if (verdict === Verdict.pipe) return this.#forwardToPipeSpace(from);
    if (verdict === Verdict.unreachable) return this.#answerUnreachable(from);
    if (verdict === Verdict.foreign) {
      this.drops.foreign++;
      return;
    }
    if (packet.bytes[1] === VIRTIO_NET_HDR_GSO_UDP_L4) return this.#forwardTrain(from, verdict);
    const { headerAt, totalBytes } = packet.view;
    if (hasPartialChecksum(packet.bytes)) completeChecksum(packet.bytes, headerAt + totalBytes);
    if (verdict !== Verdict.everyone) {
      if (!this.#links?.take(Exit.packet, from, verdict, packet.frameBytes))
        this.#deliverPacket(from, verdict);
    } else if (this.#observer?.onPacket(from, -1, packet.bytes, headerAt, totalBytes) !== false)
      this.#deliverToOthers(from, this.#frame.address, packet.frameBytes);
  }

  /** A train of datagrams. Containers at links send none (sys/tun.ts). */
  #forwardTrain(from: number, verdict: number): void {
    const { bytes, view, frameBytes } = this.#packet;
    if (!this.#trains.parse(bytes, view)) {
      this.drops.malformed++;
      return;
    }
    const to = verdict === Verdict.everyone ? -1 : verdict;
    const isWhole = this.#trains.show(
      (datagram, at, lengthBytes) =>
        this.#observer?.onPacket(from, to, datagram, at, lengthBytes) !== false,
    );
    const deliver = (frame: Region, lengthBytes: number): void => {
      if (to < 0) this.#deliverToOthers(from, frame.address, lengthBytes);
      else this.#deliverTo(to, frame.address, lengthBytes);
    };
    if (isWhole) deliver(this.#frame, frameBytes);
    else this.#trains.deliverWanted(deliver);
  }

  /** The packet in the buffer has crossed its link. */
  #onArrival(exit: Exit, from: number, to: number, frameBytes: number): void {
    if (!this.#take(frameBytes)) return;
    if (exit === Exit.pipeSpace) this.#enterPipeSpace(from);
    else if (exit === Exit.packet) this.#deliverPacket(from, to);
    else this.#deliverTo(to, this.#frame.address, frameBytes);
  }

  /** A packet other than TCP, if it can be recorded. */
  #deliverPacket(from: number, to: number): void {
    const { bytes, view, frameBytes } = this.#packet;
    const { headerAt, totalBytes } = view;
    if (this.#observer?.onPacket(from, to, bytes, headerAt, totalBytes) === false) return;
    this.#deliverTo(to, this.#frame.address, frameBytes);
  }

  #forwardToPipeSpace(from: number): void {
    const { view, frameBytes } = this.#packet;
    if (this.#links?.take(Exit.pipeSpace, from, this.#containerAt(view.destinationAt), frameBytes))
      return;
    this.#enterPipeSpace(from);
  }

  #enterPipeSpace(from: number): void {
    const packet = this.#packet;
    const { view, bytes } = packet;
    if (view.fragmentOffset === 0) {
      const flags = tcpFlagsAt(bytes, view.transportAt) & (TCP_SYN | TCP_ACK | TCP_RST);
      if (flags === TCP_SYN || (flags & TCP_RST) !== 0) {
        packet.from = from;
        packet.to = this.#containerAt(view.destinationAt);
        if (flags !== TCP_SYN) this.#gate.onReset(packet);
        else if (!this.#gate.onSyn(packet)) return;
      }
    }
    this.#deliver(this.#pipeTun, this.#frame.address, packet.frameBytes);
  }

  /** The container whose address stands at `addressAt` in the packet in hand. */
  #containerAt(addressAt: number): number {
    const { view, bytes } = this.#packet;
    return this.#subnetOf(view).hostNumberAt(bytes, addressAt) - 1;
  }

  #subnetOf(view: PacketView): Subnet {
    const subnet = this.#routes.subnet(view.family);
    assert(subnet, "a routed packet has a subnet");
    return subnet;
  }

  #forwardFromPipeSpace(): void {
    const { view, bytes, frameBytes } = this.#packet;
    const to = this.#routes.fromPipeSpace(view, bytes);
    if (to < 0) {
      this.drops.foreign++;
      return;
    }
    if (this.#isBareReset() && !this.#mayLeave(to)) return;
    if (this.#links?.take(Exit.container, this.#containerAt(view.sourceAt), to, frameBytes)) return;
    this.#deliverTo(to, this.#frame.address, frameBytes);
  }

  #isBareReset(): boolean {
    const { view, bytes } = this.#packet;
    if (view.fragmentOffset !== 0) return false;
    return (tcpFlagsAt(bytes, view.transportAt) & (TCP_RST | TCP_ACK)) === TCP_RST;
  }

  #mayLeave(to: number): boolean {
    const packet = this.#packet;
    packet.from = this.#containerAt(packet.view.sourceAt);
    packet.to = to;
    return this.#gate.onBareReset(packet);
  }

  #deliverToOthers(from: number, frame: Address, frameBytes: number): void {
    for (let to = 0; to < this.#tuns.length; to++)
      if (to !== from && !this.#links?.take(Exit.copy, from, to, frameBytes))
        this.#deliverTo(to, frame, frameBytes);
  }

  /** "Host unreachable", as the sender's own router would say it: it becomes EHOSTUNREACH there. */
  #answerUnreachable(from: number): void {
    const packet = this.#packet;
    const answer = this.#answer;
    const { view, bytes } = packet;
    const subnet = this.#subnetOf(view);
    const source = bytes.slice(view.sourceAt, view.sourceAt + subnet.network.length);
    const at = virtioNetHeaderBytes;
    answer.bytes.fill(0, 0, at);
    const length = writeHostUnreachable(answer.bytes, at, bytes, at, view.totalBytes, source);
    if (length > 0) this.#deliverTo(from, answer.address, at + length);
  }

  #deliverTo(to: number, frame: Address, frameBytes: number): void {
    const tun = this.#tuns[to];
    assert(tun !== undefined, "a packet goes to a container");
    this.#deliver(tun, frame, frameBytes);
  }

  #deliver(tun: Fd, frame: Address, frameBytes: number): void {
    // EIO: a command took its interface down. ENOBUFS, ENOMEM: the kernel has no room. All are a lost packet.
    if (write(tun, frame, frameBytes) < 0) this.drops.refused++;
  }
}
