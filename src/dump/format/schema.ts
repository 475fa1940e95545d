/**
 * Our profile of pcapng: the content and layout of an event record. `docs/dump-format.md` describes
 * the same for authors of other readers.
 *
 * An event is one Enhanced Packet Block of a fixed shape, so the length of the block follows from
 * the length of its packet data:
 *
 *      0  block header, 28 bytes (section 4.3 of the draft)
 *     28  packet data: Ethernet + IP + TCP header, then the payload; padded to 4
 *      +  tail, 36 bytes: our option, opt_endofopt, total length
 *
 * Our option describes the event, so a reader need not parse the synthetic TCP header. It holds the
 * checksum of the packet data (data-sum.ts), and ends in a CRC-32 over the block header and itself.
 * Together they cover every byte that carries meaning.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Port } from "../../base/units.ts";
import { paddedTo4 } from "./pcapng.ts";

/**
 * The version of this profile, stored in the section header's JSON and in every record. Version 2
 * added containers whose addresses follow from no subnet, and {@link RecordFlag}.
 */
export const formatVersion = 2;

/** Whether this plg reads the version. It reads all versions so far. */
export function isReadableVersion(version: number): boolean {
  return version >= 1 && version <= formatVersion;
}

/** The bits of a record's flags; version 1 has none. */
export const RecordFlag = {
  /**
   * Bytes of the stream are missing before this record: its offset lies beyond the end of the
   * previous one.
   */
  gap: 1,
} as const;

/** The kind of an event. */
export const RecordKind = {
  /** The client's SYN: a connection attempt. */
  connect: 1,
  /** The server accepted: SYN-ACK. */
  accept: 2,
  /** The server refused: RST. */
  refuse: 3,
  /** A piece of the stream. */
  data: 4,
  /** The sender closed its side (half-close): FIN. */
  end: 5,
  /** The sender reset the connection: RST. */
  reset: 6,
  /** A packet that is not TCP, unchanged. It belongs to no connection. */
  packet: 7,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** The offsets of fields from the start of a record. */
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

/**
 * The offsets of fields from the start of a record's tail, which follows the padded packet data.
 */
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
  /** The checksum of the packet data with its padding: see data-sum.ts. */
  dataSum: 20,
  /** CRC-32 over the record's first 28 bytes and the tail's bytes 4 to 23. */
  check: 24,
  endOfOptions: 28,
  totalLength: 32,
} as const;
export const recordOptionBytes = 24;

/** The header before a packet that is recorded unchanged. */
export const ethernetHeaderBytes = 14;
export const ETH_P_IP = 0x0800;
export const ETH_P_IPV6 = 0x86dd;
/** The longest possible packet: an IPv6 header and 65,535 bytes after it. */
export const maxPacketBytes = 65_575;

/** The length of a record with `capturedBytes` bytes of packet data. */
export function recordBytes(capturedBytes: number): number {
  return recordHeaderBytes + paddedTo4(capturedBytes) + recordTailBytes;
}

/** Every write to the file ends at a multiple of a page, which `O_DIRECT` always accepts. */
export const writeUnitBytes = 4096;
/** The longest block of a dump. A reader may refuse a longer one. */
export const maxBlockBytes: number = 1 << 20;
/**
 * The most zero bytes that may end a dump. A crash leaves far fewer, and a reader can still check
 * this many. (A sparse file of zeros of any size takes no room on a disk.)
 */
export const maxZeroTailBytes: number = 2 ** 32;
/**
 * The most connections open at once. Each takes two descriptors, and Linux limits a process to 2^20
 * (fs.nr_open).
 */
export const maxOpenConnections: number = 1 << 20;
/**
 * The most interfaces, and so containers, of a recording. Each has a TUN device and a namespace
 * during the run.
 */
export const maxContainers = 4000;
/** The longest stream of a recording with gaps. A longer one is damaged. */
export const longestStreamBytes: number = 2 ** 48;
/**
 * The most interfaces of an imported recording, which has no subnets. Its hosts take no resources
 * of this machine.
 */
export const maxHosts = 65_535;
/** The longest command that Linux runs (MAX_ARG_STRLEN, execve(2)). */
export const maxCommandBytes = 131_072;

/** A container of the recorded run, stored as an interface of the file. */
export interface ContainerInfo {
  readonly name: string;
  /** The command that `/bin/sh -c` ran in it. */
  readonly command: string;
  /**
   * Its addresses as text: one in each of the run's subnets; in a run without subnets, the host's
   * own.
   */
  readonly addresses: readonly string[];
}

/** The facts known at the start of a recording. */
export interface RunInfo {
  /** The version of the recording plg. */
  readonly toolVersion: string;
  /**
   * In CIDR notation, at most one of each family: `10.0.0.0/24`. Empty for an imported recording.
   */
  readonly subnets: readonly string[];
  /** The machine's name, its kernel (`uname -sr`) and its architecture (`uname -m`). */
  readonly host: string;
  readonly kernel: string;
  readonly hardware: string;
  /** The start in nanoseconds since the epoch. The events' times are relative to it. */
  readonly startNs: bigint;
  /** The identity that the commands ran under, and further notes of the recorder. */
  readonly notes: Readonly<Record<string, string | number | boolean>>;
  readonly containers: readonly ContainerInfo[];
}

/**
 * How a container's command ended. Exit code and signal are both absent if plg did not learn its
 * end.
 */
export interface CommandExit {
  readonly exitCode?: number;
  readonly signal?: string;
  /**
   * The time at which the recorder stopped it, in nanoseconds since the run's start. A replay need
   * not repeat its later behavior, which was not its own doing.
   */
  readonly stoppedAtNs?: number;
  /** How long it ran, in nanoseconds. Absent in dumps of older recorders. */
  readonly lastedNs?: number;
}

/** One end of a connection. */
export interface Endpoint {
  /**
   * Its container: the index of the interface, from 0. The container's host number is one higher.
   */
  readonly container: ContainerIndex;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: Port;
}
