/** Reads an event record, as encoder.ts writes it, and verifies its two checksums. */
import { type ConnectionNumber, type ContainerIndex, everyone } from "../../base/ids.ts";
import { Direction } from "../../base/direction.ts";
import type { Family, Port } from "../../base/units.ts";
import { addressBytesOf } from "../../net/address.ts";
import { ipHeaderBytesOf, sourceOffsetOf } from "../../net/ip-header.ts";
import { syntheticHeaderBytes } from "../../net/synthetic.ts";
import { read16, read32 } from "../../net/wire.ts";
import { recordCheck } from "./checksums.ts";
import { sumBytes } from "./data-sum.ts";
import type { Block } from "./framing.ts";
import { check } from "./metadata.ts";
import { OptionCode } from "./pcapng.ts";
import {
  ETH_P_IP,
  ETH_P_IPV6,
  ethernetHeaderBytes,
  isReadableVersion,
  RecordAt,
  recordBytes,
  RecordFlag,
  recordHeaderBytes,
  RecordKind,
  recordOptionBytes,
  recordTailBytes,
  TailAt,
} from "./schema.ts";

/** The fields of a record with verified checksums. */
export interface DumpRecord {
  readonly kind: RecordKind;
  readonly direction: Direction;
  readonly connection: ConnectionNumber;
  /** Whether bytes of the stream are missing before it. */
  readonly isAfterGap: boolean;
  readonly streamOffset: number;
  /** The sender: the index of the interface. */
  readonly container: ContainerIndex;
  readonly timeHigh: number;
  readonly timeLow: number;
  /** The packet's IP version, by its Ethernet type. */
  readonly family: Family;
  readonly capturedBytes: number;
}

const kinds: ReadonlySet<number> = new Set(Object.values(RecordKind));

export function readRecord(block: Block): DumpRecord {
  const { bytes, view } = block;
  const capturedBytes = verifyRecord(block);
  const tail = bytes.length - recordTailBytes;
  const kind = view.getUint8(tail + TailAt.kind);
  const direction = view.getUint8(tail + TailAt.direction);
  const version = view.getUint8(tail + TailAt.version);
  check(isReadableVersion(version), "a record is of an unknown version");
  const flags = version === 1 ? 0 : view.getUint8(tail + TailAt.flags);
  check(kinds.has(kind), "a record is of an unknown kind");
  check(direction === Direction.toServer || direction === Direction.toClient, "invalid direction");
  const etherType = read16(bytes, recordHeaderBytes + 12);
  check(etherType === ETH_P_IP || etherType === ETH_P_IPV6, "a packet is not of IP");
  const high = view.getUint32(tail + TailAt.offsetHigh, true);
  return {
    kind: kind as RecordKind,
    direction,
    connection: view.getUint32(tail + TailAt.connection, true),
    isAfterGap: (flags & RecordFlag.gap) !== 0,
    streamOffset: high * 2 ** 32 + view.getUint32(tail + TailAt.offsetLow, true),
    container: view.getUint32(RecordAt.interface, true),
    timeHigh: view.getUint32(RecordAt.timeHigh, true),
    timeLow: view.getUint32(RecordAt.timeLow, true),
    family: etherType === ETH_P_IP ? 4 : 6,
    capturedBytes,
  };
}

/** Verifies the fixed fields and both checksums. Returns the length of the packet data. */
function verifyRecord({ bytes, view }: Block): number {
  check(bytes.length >= recordHeaderBytes + recordTailBytes, "a record is too short");
  const captured = view.getUint32(RecordAt.capturedLength, true);
  const tail = bytes.length - recordTailBytes;
  const shapely =
    captured > ethernetHeaderBytes &&
    recordBytes(captured) === bytes.length &&
    view.getUint32(RecordAt.originalLength, true) === captured &&
    view.getUint16(tail + TailAt.optionCode, true) === OptionCode.plgRecord &&
    view.getUint16(tail + TailAt.optionLength, true) === recordOptionBytes &&
    view.getUint32(tail + TailAt.endOfOptions, true) === OptionCode.endOfOptions;
  check(shapely, "a packet block is not as plg writes it");
  const check32 = view.getUint32(tail + TailAt.check, true);
  check(
    check32 === recordCheck(bytes, 0, tail),
    "the check sum of a record's header does not match",
  );
  check(
    view.getUint32(tail + TailAt.dataSum, true) === sumBytes(bytes, recordHeaderBytes, tail),
    "the check sum of a record's data does not match",
  );
  return captured;
}

/** A container and a port, from the synthetic header of a client's SYN. */
export interface NamedEnd {
  readonly container: ContainerIndex;
  readonly port: Port;
  /** The offset of its address in the block. */
  readonly addressAt: number;
}

/** The two ends of a connection, from the synthetic header of the client's SYN. */
export function readEnds(
  block: Block,
  { family, capturedBytes }: DumpRecord,
): { client: NamedEnd; server: NamedEnd } {
  const { bytes } = block;
  check(capturedBytes === syntheticHeaderBytes(family), "a connection attempt has a wrong length");
  const ipAt = recordHeaderBytes + ethernetHeaderBytes;
  const sourceAt = ipAt + sourceOffsetOf(family);
  const tcpAt = ipAt + ipHeaderBytesOf(family);
  const named = (macAt: number, addressAt: number, portAt: number): NamedEnd => ({
    container: containerOfMac(bytes, macAt),
    port: read16(bytes, portAt) as Port,
    addressAt,
  });
  return {
    client: named(recordHeaderBytes + 6, sourceAt, tcpAt),
    server: named(recordHeaderBytes, sourceAt + addressBytesOf(family), tcpAt + 2),
  };
}

/**
 * The container that the MAC at `at` belongs to (writeMac in net/synthetic.ts), or {@link everyone}
 * if it is no container's.
 */
export function containerOfMac(bytes: Uint8Array, at: number): ContainerIndex {
  const ours = read16(bytes, at) === 0x0270 && bytes[at + 2] === 0x6c;
  return ours ? (read32(bytes, at + 2) & 0xff_ffff) - 1 : everyone;
}
