/**
 * Replays non-TCP packets. Packets between live processes pass, at once or when they are no longer
 * too early. Packets of played containers come out of the recording.
 */
import { type ContainerIndex, type EventNumber, everyone } from "../../base/ids.ts";
import { virtioNetHeaderBytes } from "../../sys/abi.ts";
import type { Region } from "../../sys/memory.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { flowOf, unknownFlow } from "../../recording/flows.ts";
import { PacketView } from "../../net/packet.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import { LiveFlows } from "../schedule/live-flows.ts";
import type { Runners } from "./runners.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";

export interface PacketPlayerParts {
  readonly index: RecordingIndex;
  readonly file: PayloadFile;
  /** The containers whose processes run. */
  readonly live: ReadonlySet<number>;
  readonly exits: PacketExits;
}

/** The destination of frames (a virtio header and a packet): the switch. */
export interface PacketExits {
  /** Sends a frame to a live container, over the link between the two. */
  sendToContainer(
    from: ContainerIndex,
    to: ContainerIndex,
    frame: Region,
    frameBytes: number,
  ): void;
  /** Delivers a frame that has already crossed the link to a live container. */
  deliverToContainer(to: ContainerIndex, frame: Region, frameBytes: number): void;
}

export class PacketPlayer {
  readonly #parts: PacketPlayerParts;
  readonly #room = PayloadFile.room();
  readonly #flows: LiveFlows;
  readonly #view = new PacketView();
  /** Frames that came too early, by the runner that holds them and their flow. */
  readonly #early = new Map<string, Uint8Array[]>();

  constructor(parts: PacketPlayerParts) {
    this.#parts = parts;
    this.#flows = new LiveFlows(parts.index.flows);
  }

  /**
   * Handles a packet in `frame`, behind its virtio header, from one container to another or to
   * {@link everyone}. Returns whether it may pass to all receivers now. If not, this method
   * forwards it where it may.
   */
  onPacket(
    runners: Runners,
    sender: ContainerIndex,
    receiver: ContainerIndex,
    frame: Uint8Array,
  ): boolean {
    const own = runners.of(sender);
    // A played container has a kernel, too, which might answer by itself.
    if (!own) return false;
    const flow = this.#flowOf(sender, receiver, frame);
    own.schedule.notePacket(flow, sender);
    own.moved();
    if (receiver === everyone) return this.#toEveryone(runners, own, sender, flow, frame);
    const runner = runners.of(receiver);
    return runner !== undefined && !this.#keepsEarly(own, runner, sender, flow, frame);
  }

  #flowOf(sender: ContainerIndex, receiver: ContainerIndex, frame: Uint8Array): number {
    const isParsed = this.#view.parse(frame, virtioNetHeaderBytes, frame.length);
    return this.#flows.numberOf(
      isParsed ? flowOf(this.#view, frame, sender, receiver) : unknownFlow(sender, receiver),
    );
  }

  /** Performs `event`: sends a packet from the recording, or one that was held until now. */
  deliver(runner: ScheduleRunner, event: EventNumber): void {
    const { index, file } = this.#parts;
    const { schedule } = runner;
    if (this.#parts.live.has(index.sender(event))) {
      const kept = this.#early.get(keyOf(runner, index.flow(event)));
      if (schedule.releasesPacket(event)) this.#giveOut(runner, event, kept?.shift());
    } else {
      // The checksum is complete: the recorder completed it.
      const [lengthBytes, at] = [index.lengthBytes(event), virtioNetHeaderBytes];
      this.#room.bytes.fill(0, 0, at);
      file.readInto(this.#room.bytes, at, index.payloadPosition(event), lengthBytes);
      this.#inject(runner, event, at + lengthBytes);
    }
    schedule.noteDelivered(event);
  }

  /** If the packet is too early for any receiver, sends it to the other receivers one by one. */
  #toEveryone(
    runners: Runners,
    own: ScheduleRunner,
    sender: ContainerIndex,
    flow: number,
    frame: Uint8Array,
  ): boolean {
    const { exits } = this.#parts;
    const early = runners.all.filter((runner) =>
      this.#keepsEarly(own, runner, sender, flow, frame),
    );
    if (early.length === 0) return true;
    this.#room.bytes.set(frame);
    for (const [container, runner] of runners.byContainer())
      if (container !== sender && !early.includes(runner))
        exits.sendToContainer(sender, container, this.#room, frame.length);
    return false;
  }

  /**
   * Notes the packet in the receiver's schedule. Returns whether it is too early there and was
   * kept.
   */
  #keepsEarly(
    own: ScheduleRunner,
    runner: ScheduleRunner,
    sender: ContainerIndex,
    flow: number,
    frame: Uint8Array,
  ): boolean {
    if (runner !== own) {
      runner.schedule.notePacket(flow, sender);
      runner.moved();
    }
    if (!runner.schedule.holdsPacket(flow)) return false;
    const key = keyOf(runner, flow);
    const kept = this.#early.get(key);
    if (kept) kept.push(frame.slice());
    else this.#early.set(key, [frame.slice()]);
    return true;
  }

  /** A packet to one receiver was kept after it crossed the link, a broadcast before. */
  #giveOut(runner: ScheduleRunner, event: EventNumber, frame: Uint8Array | undefined): void {
    const receiver = this.#parts.index.receiver(event);
    if (!frame) return;
    this.#room.bytes.set(frame);
    if (receiver === everyone) this.#inject(runner, event, frame.length);
    else this.#parts.exits.deliverToContainer(receiver, this.#room, frame.length);
  }

  /** Sends the frame in the buffer to those processes of the runner that `event` concerns. */
  #inject({ schedule }: ScheduleRunner, event: EventNumber, frameBytes: number): void {
    const sender = this.#parts.index.sender(event);
    for (const container of schedule.containers)
      if (schedule.getsPacket(container, event))
        this.#parts.exits.sendToContainer(sender, container, this.#room, frameBytes);
  }
}

function keyOf({ schedule }: ScheduleRunner, flow: number): string {
  return `${schedule.containers[0]} ${flow}`;
}
