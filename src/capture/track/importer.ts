/**
 * Turns captured packets into the events of a recording. It strips link layers and tunnels,
 * reassembles fragments, passes TCP to the tracker, and passes other packets on. Pure: packets in,
 * events out.
 */
import {
  destinationPortAt,
  IPPROTO_TCP,
  sourcePortAt,
  tcpFlagsAt,
  tcpHeaderBytesAt,
} from "../../net/packet.ts";
import { read16, readBits32 } from "../../net/wire.ts";
import { Defragmenter } from "../read/fragments.ts";
import { IpPacket } from "../read/ip-packet.ts";
import { isReadable, LinkView } from "../read/link-layer.ts";
import type { CapturedPacket } from "../read/packet.ts";
import { innerPacketAt } from "../read/tunnels.ts";
import { DuplicateFinder } from "./duplicates.ts";
import { Findings } from "./findings.ts";
import { HostTable, isHost } from "./hosts.ts";
import type { CaptureSink } from "./sink.ts";
import { emptySegment, type Renumbering, type SegmentSink } from "./tcp-segment.ts";
import { Tracker } from "./tracker.ts";

const TCP_URG = 0x20;
/** The deepest nesting of tunnels; no real network nests deeper. */
const deepestTunnel = 4;
/** The longest packet in a dump: an IPv6 header and 65,535 bytes after it. */
const longestPacketBytes = 65_575;

export class Importer {
  readonly hosts: HostTable;
  readonly findings: Findings = new Findings();
  /** The number of frames taken. */
  frames = 0;
  /** The number of packets other than TCP that were passed on. */
  packets = 0;
  /** The earliest and latest time. */
  firstNs: number = Infinity;
  lastNs: number = -Infinity;
  readonly #sink: CaptureSink;
  readonly #tcp: SegmentSink;
  readonly #renumbering: Renumbering | undefined;
  readonly #link = new LinkView();
  readonly #ip = new IpPacket();
  readonly #segment = emptySegment();
  readonly #defragmenter = new Defragmenter();
  readonly #duplicates = new DuplicateFinder();

  #capture = 0;

  /**
   * Several importers may share `hosts`. If `tcp` is given, it takes the TCP segments in place of a
   * tracker.
   */
  constructor(
    sink: CaptureSink,
    parts: {
      readonly hosts?: HostTable;
      readonly tcp?: SegmentSink;
      readonly renumbering?: Renumbering | undefined;
    } = {},
  ) {
    this.#sink = sink;
    this.hosts = parts.hosts ?? new HostTable();
    this.#tcp = parts.tcp ?? new Tracker(sink, this.findings);
    this.#renumbering = parts.renumbering;
  }

  /**
   * Takes the next packet of `capture`, seen at `atNs` on the caller's clock. Its bytes are not
   * needed after the call.
   */
  add(packet: CapturedPacket, atNs: number, capture = 0): void {
    this.#capture = capture;
    this.frames++;
    if (!this.#link.parse(packet)) {
      this.#noteUnparsed(packet.linkType);
      return;
    }
    if (atNs < this.firstNs) this.firstNs = atNs;
    if (atNs > this.lastNs) this.lastNs = atNs;
    const { at, capturedBytes, sighting } = this.#link;
    const cutBytes = packet.originalBytes - packet.capturedBytes;
    this.#addIp(packet.bytes, at, capturedBytes, capturedBytes + cutBytes, sighting, atNs, 0);
  }

  /** Call it after the last packet. */
  end(): void {
    this.#tcp.end(this.lastNs);
    this.#defragmenter.end();
    const { whole, incomplete } = this.#defragmenter.counts;
    this.findings.repaired.defragmented = whole;
    this.findings.missing.incompleteFragments = incomplete;
  }

  #noteUnparsed(linkType: number): void {
    if (isReadable(linkType)) {
      this.findings.ignored.notIp++;
      return;
    }
    this.findings.missing.unreadableFrames++;
    this.findings.unreadableLinkTypes.add(linkType);
  }

  #addIp(
    bytes: Uint8Array,
    at: number,
    capturedBytes: number,
    originalBytes: number,
    sighting: number,
    atNs: number,
    depth: number,
  ): void {
    const ip = this.#ip;
    if (!ip.parse(bytes, at, capturedBytes, originalBytes)) {
      this.findings.missing.cutPackets++;
      return;
    }
    if (ip.protocol === IPPROTO_TCP) {
      if (ip.isFragment) this.#addFragment(bytes, sighting, atNs, depth);
      else this.#addTcp(bytes, atNs);
      return;
    }
    const innerAt = depth < deepestTunnel ? innerPacketAt(bytes, ip, this.#link) : -1;
    if (innerAt >= 0) {
      this.findings.repaired.tunnelled++;
      const { capturedEndAt, endAt } = ip;
      const heldBytes = capturedEndAt - innerAt;
      this.#addIp(bytes, innerAt, heldBytes, endAt - innerAt, sighting, atNs, depth + 1);
      return;
    }
    this.#addPacket(bytes, sighting, atNs);
  }

  #addFragment(bytes: Uint8Array, sighting: number, atNs: number, depth: number): void {
    const ip = this.#ip;
    if (ip.capturedEndAt < ip.endAt) {
      this.findings.missing.cutPackets++;
      return;
    }
    const whole = this.#defragmenter.add(bytes, ip, Math.floor(atNs / 1e9));
    if (whole !== undefined)
      this.#addIp(whole, 0, whole.length, whole.length, sighting, atNs, depth + 1);
  }

  #addTcp(bytes: Uint8Array, atNs: number): void {
    const ip = this.#ip;
    if (!ip.hasTcpHeader(bytes)) {
      this.findings.missing.cutPackets++;
      return;
    }
    if (ip.hasNoLength) this.findings.repaired.withoutLength++;
    const { transportAt, endAt, capturedEndAt } = ip;
    const payloadAt = transportAt + tcpHeaderBytesAt(bytes, transportAt);
    const segment = this.#segment;
    segment.flags = tcpFlagsAt(bytes, transportAt);
    segment.sequence = readBits32(bytes, transportAt + 4);
    segment.acknowledgment = readBits32(bytes, transportAt + 8);
    segment.bytes = bytes;
    segment.payloadAt = payloadAt;
    segment.payloadBytes = endAt - payloadAt;
    segment.capturedBytes = Math.max(0, capturedEndAt - payloadAt);
    segment.isUrgent = (segment.flags & TCP_URG) !== 0 && read16(bytes, transportAt + 18) > 0;
    segment.atNs = atNs;
    const source = this.hosts.numberAt(bytes, ip.sourceAt, ip.family);
    const destination = this.hosts.numberAt(bytes, ip.destinationAt, ip.family);
    const sourcePort = sourcePortAt(bytes, transportAt);
    const destinationPort = destinationPortAt(bytes, transportAt);
    const ends = [source, sourcePort, destination, destinationPort] as const;
    if (this.#renumbering?.apply(this.#capture, ...ends, segment) === false) return;
    this.#tcp.add(ip.family, ...ends, segment);
  }

  #addPacket(bytes: Uint8Array, sighting: number, atNs: number): void {
    const ip = this.#ip;
    const lengthBytes = ip.endAt - ip.headerAt;
    if (ip.capturedEndAt < ip.endAt || lengthBytes > longestPacketBytes) {
      this.findings.missing.cutPackets++;
      return;
    }
    if (this.#duplicates.isDuplicate(bytes, ip, sighting, atNs)) {
      this.findings.repaired.duplicates++;
      return;
    }
    const sender = this.hosts.numberAt(bytes, ip.sourceAt, ip.family);
    const receiver = this.hosts.numberAt(bytes, ip.destinationAt, ip.family);
    // Packets without a sender yet (DHCP, duplicate address detection) belong to no container.
    if (!isHost(this.hosts.addresses[sender] as Uint8Array)) {
      this.findings.ignored.withoutSender++;
      return;
    }
    const isToGroup = !isHost(this.hosts.addresses[receiver] as Uint8Array);
    this.packets++;
    this.#sink.packet(
      sender,
      isToGroup ? undefined : receiver,
      bytes,
      ip.headerAt,
      lengthBytes,
      atNs,
    );
  }
}
