/**
 * Our profile of pcapng: what an event record holds and where. `docs/dump-format.md` is the same for
 * people who write another reader.
 *
 * An event is one Enhanced Packet Block of a fixed shape, so its whole length follows from the
 * length of its packet data:
 *
 *     0  block header, 28 bytes (section 4.3 of the draft)
 *    28  packet data: Ethernet + IP + TCP header, then the payload; padded to 4
 *     +  tail, 36 bytes: our option, opt_endofopt, total length
 *
 * Our option tells the event without the synthetic TCP header. It holds the check sum of the packet
 * data (data-sum.ts), and ends in a CRC-32 over the block header and itself: together they cover
 * every byte that means something.
 */
import type { Port } from "../../base/units.ts";
import { paddedTo4 } from "./pcapng.ts";

/**
 * The version of this profile: in the section header's JSON, and in every record. Version 2 added
 * containers whose addresses follow from no subnet, and {@link RecordFlag}.
 */
export const formatVersion = 2;

/** Every version is read that there has been. */
export function isReadableVersion(version: number): boolean {
  return version >= 1 && version <= formatVersion;
}

/** Bits of a record's flags; version 1 has none. */
export const RecordFlag = {
  /** Bytes of the stream are missing before this record: its offset is further on than the last one's end. */
  gap: 1,
} as const;

/** What an event record says. */
export const RecordKind = {
  /** The client's SYN: its connection attempt. */
  connect: 1,
  /** The server accepted: SYN-ACK. */
  accept: 2,
  /** The server refused: RST. */
  refuse: 3,
  /** A piece of the stream. */
  data: 4,
  /** The sender will send no more (half-close): FIN. */
  end: 5,
  /** The sender broke the connection off: RST. */
  reset: 6,
  /** A packet that is not TCP, as it is; it belongs to no connection. */
  packet: 7,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** Where things lie in a record, from its start. */
export const recordHeaderBytes = 28;
export const RecordAt = {
  type: 0,
  totalLength: 4,
  interface: 8,
  timeHigh: 12,
  timeLow: 16,
  capturedLength: 20,
  originalLength: 24,
} as const;

/** Where things lie in a record's tail, from the end of the padded packet data. */
export const recordTailBytes = 36;
export const TailAt = {
  optionCode: 0,
  optionLength: 2,
  version: 4,
  kind: 5,
  direction: 6,
  flags: 7,
  connection: 8,
  offsetLow: 12,
  offsetHigh: 16,
  /** The packet data's, with its padding: see data-sum.ts. */
  dataSum: 20,
  /** CRC-32 over the record's first 28 bytes and the tail's bytes 4 to 23. */
  check: 24,
  endOfOptions: 28,
  totalLength: 32,
} as const;
export const recordOptionBytes = 24;

/** The header that stands before a packet that is recorded as it is. */
export const ethernetHeaderBytes = 14;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
/** The longest packet there is: an IPv6 header and 65,535 bytes behind it. */
export const maxPacketBytes = 65_575;

/** How long the record of `capturedBytes` packet data is. */
export function recordBytes(capturedBytes: number): number {
  return recordHeaderBytes + paddedTo4(capturedBytes) + recordTailBytes;
}

/** Every write to the file ends at a multiple of this: a page, which `O_DIRECT` never refuses. */
export const writeUnitBytes = 4096;
/** No block of a dump is longer: a reader may refuse what claims to be. */
export const maxBlockBytes: number = 1 << 20;
/**
 * So many zeros may end a dump at the most: far more than a crash leaves, and few enough to look at. (A file of
 * zeros of any size takes no room on a disk.)
 */
export const maxZeroTailBytes: number = 2 ** 32;
/** Connections that are open at once: each takes two descriptors, and Linux has 2^20 for a process (fs.nr_open). */
export const maxOpenConnections: number = 1 << 20;
/** Interfaces, and so containers, of one recording: each has a TUN device and a namespace while it runs. */
export const maxContainers = 4000;
/** No stream of a recording that lacks bytes is longer: what claims to be is damaged. */
export const longestStreamBytes: number = 2 ** 48;
/** Interfaces of a recording without subnets, which was imported: its hosts need nothing of this machine. */
export const maxHosts = 65_535;
/** Linux runs no command that is longer (MAX_ARG_STRLEN, execve(2)). */
export const maxCommandBytes = 131_072;

/** One container of the recorded run: an interface of the file. */
export interface ContainerInfo {
  readonly name: string;
  /** What `/bin/sh -c` ran in it. */
  readonly command: string;
  /**
   * Its addresses as text: one of each of the run's subnets, or, where the run has none, whatever the
   * host had.
   */
  readonly addresses: readonly string[];
}

/** What is known when a recording starts. */
export interface RunInfo {
  /** The version of plg that recorded. */
  readonly toolVersion: string;
  /** In CIDR notation, at most one of each family: `10.0.0.0/24`. None if the recording was imported. */
  readonly subnets: readonly string[];
  /** The machine's name, its kernel (`uname -sr`) and its architecture (`uname -m`). */
  readonly host: string;
  readonly kernel: string;
  readonly hardware: string;
  /** The start in nanoseconds since the epoch; the events' times count from it. */
  readonly startNs: bigint;
  /** Who the commands ran as, and whatever else the recorder notes: text, numbers, truth values. */
  readonly notes: Readonly<Record<string, string | number | boolean>>;
  readonly containers: readonly ContainerInfo[];
}

/** How a container's command ended: neither is known if it was never waited for. */
export interface CommandExit {
  readonly exitCode?: number;
  readonly signal?: string;
  /**
   * The recorder stopped it, at this time since the run's start, in nanoseconds: what it did from then
   * on was not of its own accord, and is no part of what it has to do again.
   */
  readonly stoppedAtNs?: number;
  /** How long it ran, from its start on, in nanoseconds. Older recorders did not say. */
  readonly lastedNs?: number;
}

/** One end of a connection. */
export interface Endpoint {
  /** Its container: the index of the interface, from 0. The container's host number is one more. */
  readonly container: number;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: Port;
}
