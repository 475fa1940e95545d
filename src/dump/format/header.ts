/**
 * The blocks before and after the events of a dump: every block except the records. A dump begins
 * with the section header, which describes the run, an interface for each container, and the names.
 * It ends with a statistics block for each container.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { hostOf } from "../../base/units.ts";
import { assert } from "../../base/assert.ts";
import { parseAddress } from "../../net/address.ts";
import { writeMac } from "../../net/synthetic.ts";
import {
  BlockBuilder,
  BlockType,
  byteOrderMagic,
  linktypeEthernet,
  maxOptionBytes,
  nanosecondResolution,
  OptionCode,
} from "./pcapng.ts";
import {
  type CommandExit,
  type ContainerInfo,
  formatVersion,
  maxContainers,
  maxHosts,
  type RunInfo,
} from "./schema.ts";

/** Readers refuse longer packets; this is libpcap's own limit for Ethernet. */
const snapLength = 262_144;
/**
 * The names in one name resolution block, which keeps it far below the 1 MiB limit of any block.
 */
const namesPerBlock = 1000;
const utf8 = new TextEncoder();

/** The blocks before the events. */
export function headerBlocks(run: RunInfo): Uint8Array[] {
  const most = run.subnets.length === 0 ? maxHosts : maxContainers;
  assert(run.containers.length <= most, "the number of containers is checked at the start");
  return [
    sectionHeader(run),
    ...run.containers.map((container, index) => interfaceDescription(run, container, index)),
    ...nameResolution(run.containers),
  ];
}

function sectionHeader(run: RunInfo): Uint8Array {
  const facts = {
    plg: formatVersion,
    version: run.toolVersion,
    startedAt: new Date(Number(run.startNs / 1_000_000n)).toISOString(),
    startNs: run.startNs.toString(),
    host: run.host,
    kernel: run.kernel,
    hardware: run.hardware,
    subnets: run.subnets,
    containers: run.containers.length,
    notes: run.notes,
  };
  const comment = utf8.encode(JSON.stringify(facts));
  assert(comment.length <= maxOptionBytes, "the notes of a run must fit one comment");
  return new BlockBuilder(BlockType.sectionHeader)
    .u32(byteOrderMagic)
    .u16(1) // pcapng's version 1.0
    .u16(0)
    .u64(-1n) // the section's length is not known beforehand
    .option(OptionCode.comment, comment)
    .text(OptionCode.shbHardware, run.hardware)
    .text(OptionCode.shbOs, run.kernel)
    .text(OptionCode.shbUserAppl, `plg ${run.toolVersion}`)
    .finish();
}

function interfaceDescription(
  run: RunInfo,
  container: ContainerInfo,
  index: ContainerIndex,
): Uint8Array {
  const block = new BlockBuilder(BlockType.interfaceDescription)
    .u16(linktypeEthernet)
    .u16(0)
    .u32(snapLength)
    .text(OptionCode.ifName, container.name)
    .text(OptionCode.ifDescription, container.command);
  addLongCommand(block, container.command);
  for (const text of container.addresses) addAddress(block, text, run.subnets);
  const mac = new Uint8Array(6);
  writeMac(mac, 0, hostOf(index));
  return block
    .option(OptionCode.ifMACaddr, mac)
    .option(OptionCode.ifTsresol, Uint8Array.of(nanosecondResolution))
    .text(OptionCode.ifOs, run.kernel)
    .finish();
}

/**
 * A command may take 128 KiB (MAX_ARG_STRLEN), an option 64. A longer command is stored whole in
 * comments, in pieces.
 */
function addLongCommand(block: BlockBuilder, command: string): void {
  const bytes = utf8.encode(command);
  if (bytes.length <= maxOptionBytes) return;
  for (let at = 0; at < bytes.length; at += maxOptionBytes) {
    block.option(OptionCode.comment, bytes.subarray(at, at + maxOptionBytes));
  }
}

/** `if_IPv4addr` holds an address and its mask, `if_IPv6addr` an address and its prefix length. */
function addAddress(block: BlockBuilder, text: string, subnets: readonly string[]): void {
  const address = parseAddress(text);
  assert(address !== undefined, `${text} is an address`);
  const prefixBits = prefixOf(address.length, subnets);
  if (address.length === 16) {
    block.option(OptionCode.ifIPv6addr, Uint8Array.of(...address, prefixBits));
    return;
  }
  const mask = prefixBits === 0 ? 0 : (-1 << (32 - prefixBits)) >>> 0;
  const maskBytes = [24, 16, 8, 0].map((shift) => mask >>> shift);
  block.option(OptionCode.ifIPv4addr, Uint8Array.of(...address, ...maskBytes));
}

/** The prefix length of the run's subnet of that family; all bits if there is none. */
function prefixOf(addressBytes: number, subnets: readonly string[]): number {
  const subnet = subnets.find((text) => text.includes(":") === (addressBytes === 16));
  return Number(subnet?.split("/")[1] ?? 8 * addressBytes);
}

/** The containers' names by address, so that readers can show names, for example tshark -N n. */
function nameResolution(containers: readonly ContainerInfo[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let from = 0; from < containers.length; from += namesPerBlock) {
    const block = new BlockBuilder(BlockType.nameResolution);
    for (const container of containers.slice(from, from + namesPerBlock))
      addNames(block, container);
    blocks.push(block.u32(0).finish());
  }
  return blocks;
}

/**
 * One record for each address: type 1 is IPv4, 2 is IPv6. The name ends in a zero byte (section
 * 4.5).
 */
function addNames(block: BlockBuilder, container: ContainerInfo): void {
  for (const text of container.addresses) {
    const address = parseAddress(text) as Uint8Array;
    const record = Uint8Array.of(...address, ...utf8.encode(container.name), 0);
    block.option(address.length === 4 ? 1 : 2, record);
  }
}

/** The secrets type of a TLS key log: "TLSK". */
const tlsKeyLog = 0x544c534b;
/** The most key bytes in one block, which stays far below the 1 MiB limit of any block. */
const keyBytesPerBlock = 1 << 19;
const newline = 0x0a;

/** A TLS key log as Decryption Secrets Blocks, split at line ends. Readers use them to decrypt. */
export function keyBlocks(keys: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let from = 0; from < keys.length;) {
    const most = Math.min(keys.length, from + keyBytesPerBlock);
    const lastLine = keys.lastIndexOf(newline, most - 1) + 1;
    const to = most < keys.length && lastLine > from ? lastLine : most;
    const part = keys.subarray(from, to);
    blocks.push(
      new BlockBuilder(BlockType.decryptionSecrets)
        .u32(tlsKeyLog)
        .u32(part.length)
        .padded(part)
        .finish(),
    );
    from = to;
  }
  return blocks;
}

/** The facts known at the end of a recording. */
export interface RunEnd {
  readonly startNs: bigint;
  /** The end, in nanoseconds since the epoch. */
  readonly endNs: bigint;
  /** By container. */
  readonly exits: readonly CommandExit[];
  /** The number of records that each container sent, by container. */
  readonly records: ArrayLike<number>;
}

/** The blocks after the events. */
export function trailerBlocks(end: RunEnd): Uint8Array[] {
  return end.exits.map((exit, index) =>
    new BlockBuilder(BlockType.interfaceStatistics)
      .u32(index)
      .time(end.endNs)
      .text(OptionCode.comment, JSON.stringify(exit))
      .optionTime(OptionCode.isbStartTime, end.startNs)
      .optionTime(OptionCode.isbEndTime, end.endNs)
      .optionU64(OptionCode.isbIfRecv, BigInt(end.records[index] ?? 0))
      .finish(),
  );
}
