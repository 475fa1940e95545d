/**
 * The switch: reads packets from the TUN devices of the containers and the pipe space, and writes
 * each, unchanged, to the device it is addressed to. TCP goes to and from the pipe space;
 * everything else passes from container to container. Most TCP packets take the kernel's shortcut
 * (sandbox/network/shortcut.ts); only those that open or abort a connection come through here.
 *
 * There is one buffer, which holds a packet behind its virtio header. The header passes through
 * unchanged, so one `read` and one `write` carry up to 64 KiB. The switch queues nothing: the
 * kernel queues on both sides, and if a device does not accept a packet, it is lost as on a wire.
 * With a link (links.ts), the packet leaves the buffer, returns when it arrives, and continues from
 * there.
 */
import { type ContainerIndex, everyone } from "../base/ids.ts";
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
import { isContainer, Routes, Verdict } from "./core/route.ts";
import { Trains } from "./trains.ts";
import { frameCapacityBytes, TunPort } from "./tun-port.ts";

/** Decides about TCP packets. `bytes` is the switch's buffer, valid during the call only. */
export interface TcpInterceptor {
  /** A SYN from one container to another. Return true to pass it to the pipe space. */
  onSyn(packet: SwitchedPacket): boolean;
  /** A RST on its way to the pipe space. */
  onReset(packet: SwitchedPacket): void;
  /** A RST without ACK on its way out of the pipe space. Return true to pass it on. */
  onBareReset(packet: SwitchedPacket): boolean;
}

/** Observes the packets that pass between containers. */
export interface PacketObserver {
  /**
   * A non-TCP packet from one container to another, or to {@link everyone}. `bytes` is valid during
   * the call only. Return false to drop it: packets that are not recorded are not delivered.
   */
  onPacket(
    from: ContainerIndex,
    to: ContainerIndex,
    bytes: Uint8Array,
    at: number,
    lengthBytes: number,
  ): boolean;
}

/**
 * The current packet: `view` describes it in `bytes`. A frame is the virtio header and the packet.
 */
export interface SwitchedPacket {
  readonly bytes: Uint8Array;
  readonly view: PacketView;
  /** The indices of the sending and the receiving container. */
  from: ContainerIndex;
  to: ContainerIndex;
  frameBytes: number;
}

/** Decide about packets on their way. */
export interface SwitchHandlers {
  readonly interceptor: TcpInterceptor;
  readonly observer: PacketObserver;
}

/** Undelivered packets, by reason. Links count their own losses. */
export interface DropCounts {
  /** Not a whole IP packet. */
  malformed: number;
  /** See {@link Verdict.foreign}. */
  foreign: number;
  /** The receiving device did not accept it. */
  refused: number;
}

export class Switch {
  readonly drops: DropCounts = { malformed: 0, foreign: 0, refused: 0 };
  readonly #reactor: Reactor;
  readonly #routes: Routes;
  readonly #links: Links | undefined;
  readonly #tuns: readonly (Fd | undefined)[];
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
  #started: SwitchHandlers | undefined;

  constructor(parts: {
    readonly reactor: Reactor;
    readonly subnets: readonly Subnet[];
    /** The containers' devices, by index. Owned by the sandbox. Packets to none are dropped. */
    readonly tuns: readonly (Fd | undefined)[];
    readonly pipeTun: Fd;
    /** The links between the containers, and the start of the run by the reactor's clock. */
    readonly links?: { readonly setup: LinkSetup; readonly startMs: number } | undefined;
  }) {
    this.#reactor = parts.reactor;
    this.#routes = new Routes(parts.subnets, parts.tuns.length);
    this.#tuns = parts.tuns;
    this.#pipeTun = parts.pipeTun;
    const onArrival = this.#onArrival.bind(this);
    this.#links =
      parts.links &&
      new Links({ ...parts.links, reactor: this.#reactor, frame: this.#frame, onArrival });
  }

  /** Begins to forward packets. Until then they wait in the devices. Call it once. */
  start(handlers: SwitchHandlers): void {
    assert(!this.#started, "a switch starts once");
    this.#started = handlers;
    for (const [from, tun] of this.#tuns.entries())
      if (tun !== undefined) this.#attach(tun, () => this.#forwardFromContainer(from));
    this.#attach(this.#pipeTun, () => this.#forwardFromPipeSpace());
  }

  get #handlers(): SwitchHandlers {
    assert(this.#started, "a switch that forwards has been started");
    return this.#started;
  }

  /**
   * Passes a SYN that the interceptor held to the pipe space: a virtio header and the packet,
   * copied.
   */
  letIn(frame: Uint8Array): void {
    this.#frame.bytes.set(frame);
    this.#deliver(this.#pipeTun, this.#frame.address, frame.length);
  }

  /** Sends a frame (a virtio header, then an IP packet) from one container to another. */
  sendToContainer(
    from: ContainerIndex,
    to: ContainerIndex,
    frame: Region,
    frameBytes: number,
  ): void {
    if (this.#links?.isBetween(from, to)) {
      this.#frame.bytes.set(frame.bytes.subarray(0, frameBytes));
      const isTcp = this.#take(frameBytes) && this.#packet.view.protocol === IPPROTO_TCP;
      if (this.#links.take(isTcp ? Exit.container : Exit.copy, from, to, frameBytes)) return;
    }
    this.#deliverTo(to, frame.address, frameBytes);
  }

  /** Writes a frame that has already crossed its link to a container. */
  deliverToContainer(to: ContainerIndex, frame: Region, frameBytes: number): void {
    this.#deliverTo(to, frame.address, frameBytes);
  }

  /** The number of packets in flight on links. */
  get heldPackets(): number {
    return this.#links?.heldPackets ?? 0;
  }

  /** The links' counts, if there are links. */
  get linkCounts(): Links["counts"] | undefined {
    return this.#links?.counts;
  }

  /** Frees the switch's own resources. The sandbox owns the devices. */
  close(): void {
    this.#links?.close();
  }

  #attach(tun: Fd, forward: () => void): void {
    const port = new TunPort(this.#reactor, tun, this.#frame.address, (frameBytes) => {
      if (this.#take(frameBytes)) forward();
    });
    this.#reactor.watchLevel(tun, port);
  }

  /** Parses the frame that was just read. Returns false if it is not a whole IP packet. */
  #take(frameBytes: number): boolean {
    const packet = this.#packet;
    packet.frameBytes = frameBytes;
    const at = virtioNetHeaderBytes;
    if (packet.view.parse(packet.bytes, at, frameBytes - at)) return true;
    this.drops.malformed++;
    return false;
  }

  #forwardFromContainer(from: ContainerIndex): void {
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
    } else if (this.#handlers.observer.onPacket(from, everyone, packet.bytes, headerAt, totalBytes))
      this.#deliverToOthers(from, this.#frame.address, packet.frameBytes);
  }

  /** Handles a train of datagrams. Containers at links send none (sys/tun.ts). */
  #forwardTrain(from: ContainerIndex, verdict: number): void {
    const { bytes, view, frameBytes } = this.#packet;
    if (!this.#trains.parse(bytes, view)) {
      this.drops.malformed++;
      return;
    }
    const to = verdict === Verdict.everyone ? everyone : verdict;
    const { observer } = this.#handlers;
    const isWhole = this.#trains.show((datagram, at, lengthBytes) =>
      observer.onPacket(from, to, datagram, at, lengthBytes),
    );
    const deliver = (frame: Region, lengthBytes: number): void => {
      if (to === everyone) this.#deliverToOthers(from, frame.address, lengthBytes);
      else this.#deliverTo(to, frame.address, lengthBytes);
    };
    if (isWhole) deliver(this.#frame, frameBytes);
    else this.#trains.deliverWanted(deliver);
  }

  /** Handles a packet that has crossed its link and is back in the buffer. */
  #onArrival(exit: Exit, from: ContainerIndex, to: ContainerIndex, frameBytes: number): void {
    if (!this.#take(frameBytes)) return;
    if (exit === Exit.pipeSpace) this.#enterPipeSpace(from);
    else if (exit === Exit.packet) this.#deliverPacket(from, to);
    else this.#deliverTo(to, this.#frame.address, frameBytes);
  }

  /** Passes a non-TCP packet, if it can be recorded. */
  #deliverPacket(from: ContainerIndex, to: ContainerIndex): void {
    const { bytes, view, frameBytes } = this.#packet;
    const { headerAt, totalBytes } = view;
    if (this.#handlers.observer.onPacket(from, to, bytes, headerAt, totalBytes))
      this.#deliverTo(to, this.#frame.address, frameBytes);
  }

  #forwardToPipeSpace(from: ContainerIndex): void {
    const { view, frameBytes } = this.#packet;
    if (this.#links?.take(Exit.pipeSpace, from, this.#containerAt(view.destinationAt), frameBytes))
      return;
    this.#enterPipeSpace(from);
  }

  #enterPipeSpace(from: ContainerIndex): void {
    const packet = this.#packet;
    const { view, bytes } = packet;
    if (view.fragmentOffset === 0) {
      const flags = tcpFlagsAt(bytes, view.transportAt) & (TCP_SYN | TCP_ACK | TCP_RST);
      if (flags === TCP_SYN || (flags & TCP_RST) !== 0) {
        packet.from = from;
        packet.to = this.#containerAt(view.destinationAt);
        const { interceptor } = this.#handlers;
        if (flags !== TCP_SYN) interceptor.onReset(packet);
        else if (!interceptor.onSyn(packet)) return;
      }
    }
    this.#deliver(this.#pipeTun, this.#frame.address, packet.frameBytes);
  }

  /** The container with the address at `addressAt` of the current packet. */
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
    if (!isContainer(to)) {
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

  #mayLeave(to: ContainerIndex): boolean {
    const packet = this.#packet;
    packet.from = this.#containerAt(packet.view.sourceAt);
    packet.to = to;
    return this.#handlers.interceptor.onBareReset(packet);
  }

  #deliverToOthers(from: ContainerIndex, frame: Address, frameBytes: number): void {
    for (let to = 0; to < this.#tuns.length; to++)
      if (to !== from && !this.#links?.take(Exit.copy, from, to, frameBytes))
        this.#deliverTo(to, frame, frameBytes);
  }

  /** Answers "host unreachable" as the sender's router would; the sender gets EHOSTUNREACH. */
  #answerUnreachable(from: ContainerIndex): void {
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

  #deliverTo(to: ContainerIndex, frame: Address, frameBytes: number): void {
    assert(to < this.#tuns.length, "a packet goes to a container");
    const tun = this.#tuns[to];
    if (tun !== undefined) this.#deliver(tun, frame, frameBytes);
  }

  #deliver(tun: Fd, frame: Address, frameBytes: number): void {
    // EIO: a command took its interface down. ENOBUFS, ENOMEM: the kernel has no room. The packet
    // is lost.
    if (write(tun, frame, frameBytes) < 0) this.drops.refused++;
  }
}
