/**
 * Carries packets over links: a packet is copied into a slot, and returns to the switch when it
 * arrives. link-direction.ts decides what happens to it on the way.
 *
 * Slots are preallocated; packets that find none are dropped. The kernel backs a slot with memory
 * when it is first used. Segmentation offload is off in containers at the ends of links, so each
 * packet here is a packet on the wire and fits a slot: the MTU is 1500 bytes.
 *
 * A timerfd wakes the thread, because epoll's own timeouts count whole milliseconds.
 */
import type { ContainerIndex } from "../base/ids.ts";
import type { Fd } from "../base/units.ts";
import { virtioNetHeaderBytes } from "../sys/abi.ts";
import { createAlarm, setAlarm } from "../sys/alarm.ts";
import { close } from "../sys/libc.ts";
import { allocateRegion, type Region } from "../sys/memory.ts";
import type { Reactor, Task, Watcher } from "../sys/reactor.ts";
import { acknowledge } from "../sys/wakeup.ts";
import { HeldPackets, noSlot } from "./core/held-packets.ts";
import { lost } from "./core/link-direction.ts";
import { LinkPlan, type LinkSetup } from "./core/link-plan.ts";

/** Where a packet goes after it has crossed its link. */
export const Exit = {
  /** TCP of the container `from`: into the pipe space. */
  pipeSpace: 0,
  /** TCP of the pipe space, as `from`: into the container `to`. */
  container: 1,
  /** Anything else: recorded, and into the container `to`. */
  packet: 2,
  /** The same, but not recorded here: one copy of several, or plg's own. */
  copy: 3,
} as const;
export type Exit = (typeof Exit)[keyof typeof Exit];

/** Receives the frame of `frameBytes`, which is back in the switch's buffer. */
export type OnArrival = (
  exit: Exit,
  from: ContainerIndex,
  to: ContainerIndex,
  frameBytes: number,
) => void;

/** The maximum number of packets in flight on all links together; 64 MiB. */
const places = 32_768;
const placeBytes = 2048;
const placeWords = placeBytes / Int32Array.BYTES_PER_ELEMENT;

export class Links implements Watcher, Task {
  /** The number of packets sent over links, and how many of them were lost. */
  readonly counts: { sent: number; lost: number } = { sent: 0, lost: 0 };
  readonly #reactor: Reactor;
  readonly #plan: LinkPlan;
  readonly #startMs: number;
  readonly #onArrival: OnArrival;
  readonly #alarm: Fd = createAlarm();
  readonly #frame: Int32Array;
  readonly #places = wordsOf(allocateRegion(places * placeBytes));
  readonly #held = new HeldPackets(places);
  /** By slot. */
  readonly #exits = new Uint8Array(places);
  readonly #from = new Uint16Array(places);
  readonly #to = new Uint16Array(places);
  readonly #frameBytes = new Uint16Array(places);
  /** When the alarm expires, and whether {@link resume} is due anyway. */
  #alarmMs = Infinity;
  #isDeferred = false;

  constructor(parts: {
    readonly reactor: Reactor;
    readonly setup: LinkSetup;
    /** When the run began, by the reactor's clock. */
    readonly startMs: number;
    /** The switch's buffer: packets are copied from it, and back into it. */
    readonly frame: Region;
    readonly onArrival: OnArrival;
  }) {
    this.#reactor = parts.reactor;
    this.#plan = new LinkPlan(parts.setup);
    this.#startMs = parts.startMs;
    this.#frame = wordsOf(parts.frame);
    this.#onArrival = parts.onArrival;
    this.#reactor.watchLevel(this.#alarm, this);
  }

  /** The number of packets in flight. */
  get heldPackets(): number {
    return this.#held.count;
  }

  /** Whether there is a link in this direction, for any kind of packet. */
  isBetween(from: ContainerIndex, to: ContainerIndex): boolean {
    return this.#plan.between(from, to) !== null;
  }

  /** Sends the frame in the switch's buffer over its link. Returns false if it crosses none. */
  take(exit: Exit, from: ContainerIndex, to: ContainerIndex, frameBytes: number): boolean {
    const link = this.#plan.between(from, to);
    if (link === null) return false;
    if (exit === Exit.pipeSpace && !link.actsAtSender) return false;
    if (exit === Exit.container && !link.actsAtReceiver) return false;
    const { direction } = link;
    this.counts.sent++;
    const dueMs = direction.send(this.#nowMs, frameBytes - virtioNetHeaderBytes);
    if (dueMs === lost || !this.#hold(dueMs, exit, from, to, frameBytes)) {
      this.counts.lost++;
      return true;
    }
    if (direction.isDoubled) this.#hold(dueMs, exit, from, to, frameBytes);
    this.#wakeInTime();
    return true;
  }

  /** The alarm has expired. */
  onReady(): void {
    acknowledge(this.#alarm);
    this.#alarmMs = Infinity;
    this.resume();
  }

  /** Delivers the packets that are due. */
  resume(): void {
    this.#isDeferred = false;
    const nowMs = this.#nowMs;
    for (let place = this.#held.take(nowMs); place !== noSlot; place = this.#held.take(nowMs)) {
      const frameBytes = this.#frameBytes[place] as number;
      copyWords(this.#frame, 0, this.#places, place * placeWords, frameBytes);
      const exit = this.#exits[place] as Exit;
      this.#onArrival(exit, this.#from[place] as number, this.#to[place] as number, frameBytes);
    }
    this.#wakeInTime();
  }

  close(): void {
    this.#reactor.forget(this.#alarm);
    close(this.#alarm);
  }

  /** Since the run's start. */
  get #nowMs(): number {
    return this.#reactor.nowMs - this.#startMs;
  }

  /** Returns false if no slot is free. */
  #hold(
    dueMs: number,
    exit: Exit,
    from: ContainerIndex,
    to: ContainerIndex,
    frameBytes: number,
  ): boolean {
    if (frameBytes > placeBytes) return false;
    const place = this.#held.hold(dueMs);
    if (place === noSlot) return false;
    copyWords(this.#places, place * placeWords, this.#frame, 0, frameBytes);
    this.#exits[place] = exit;
    this.#from[place] = from;
    this.#to[place] = to;
    this.#frameBytes[place] = frameBytes;
    return true;
  }

  /**
   * Packets due at once arrive in this round, but after this call: its caller still uses the
   * buffer.
   */
  #wakeInTime(): void {
    const dueMs = this.#held.nextDueMs;
    if (dueMs >= this.#alarmMs || this.#isDeferred) return;
    const leftMs = dueMs - this.#nowMs;
    if (leftMs <= 0) {
      this.#isDeferred = true;
      this.#reactor.defer(this);
    } else {
      this.#alarmMs = dueMs;
      setAlarm(this.#alarm, leftMs);
    }
  }
}

function wordsOf({ bytes }: Region): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

/** Copies whole words, without allocating a view; never more than a slot holds. */
function copyWords(
  out: Int32Array,
  outAt: number,
  from: Int32Array,
  fromAt: number,
  lengthBytes: number,
): void {
  const words = (lengthBytes + 3) >> 2;
  for (let i = 0; i < words; i++) out[outAt + i] = from[fromAt + i] as number;
}
