/**
 * Reads the blocks that header.ts writes. The file may come from anywhere, so every length and
 * every field of the JSON is checked before use, and an invalid block is refused with a
 * one-sentence reason.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import { isContainerName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import { hostOf } from "../../base/units.ts";
import { formatAddress } from "../../net/address.ts";
import { Subnet } from "../../net/subnet.ts";
import { crc32Range } from "./crc32.ts";
import type { Block } from "./framing.ts";
import { byteOrderMagic, OptionCode } from "./pcapng.ts";
import {
  type CommandExit,
  type ContainerInfo,
  formatVersion,
  maxCommandBytes,
  isReadableVersion,
  maxContainers,
  maxHosts,
  type RunInfo,
} from "./schema.ts";

/** Describes a defect of a block. The decoder adds the file's name and the offset. */
export class BlockProblem extends Error {
  override readonly name = "BlockProblem";
}

/** Throws a {@link BlockProblem} unless `condition` holds. */
export function check(condition: unknown, problem: string): asserts condition {
  if (!condition) throw new BlockProblem(problem);
}

/**
 * The end of every block except records and padding: our block check, opt_endofopt and the total
 * length.
 */
const blockTailBytes = 16;

/** Whether the block ends in a valid block check of ours. */
export function blockCheckHolds({ bytes, view }: Block): boolean {
  const tail = bytes.length - blockTailBytes;
  return (
    tail >= 8 &&
    view.getUint16(tail, true) === OptionCode.plgBlockCheck &&
    view.getUint16(tail + 2, true) === 4 &&
    view.getUint32(tail + 8, true) === OptionCode.endOfOptions &&
    view.getUint32(tail + 4, true) === crc32Range(bytes, 0, tail)
  );
}

/** The options of a block, by code, in file order. */
type Options = ReadonlyMap<number, readonly Uint8Array[]>;

function readOptions({ bytes, view }: Block, from: number): Options {
  const options = new Map<number, Uint8Array[]>();
  const end = bytes.length - blockTailBytes;
  for (let at = from; at < end;) {
    check(at + 4 <= end, "an option is cut short");
    const code = view.getUint16(at, true);
    const length = view.getUint16(at + 2, true);
    check(at + 4 + length <= end, "an option is longer than its block");
    const values = options.get(code) ?? [];
    values.push(bytes.subarray(at + 4, at + 4 + length));
    options.set(code, values);
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}

function textOf(values: readonly Uint8Array[]): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  try {
    return (
      values.map((value) => decoder.decode(value, { stream: true })).join("") + decoder.decode()
    );
  } catch {
    throw new BlockProblem("a text is not UTF-8");
  }
}

function jsonOf(values: readonly Uint8Array[]): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(textOf(values));
  } catch {
    value = undefined;
  }
  check(
    typeof value === "object" && value !== null && !Array.isArray(value),
    "its comment is not a JSON object",
  );
  return value as Record<string, unknown>;
}

/**
 * The content of a section header: a {@link RunInfo} with the number of its containers in place of
 * the containers.
 */
export interface SectionFacts {
  readonly run: Omit<RunInfo, "containers">;
  readonly subnets: readonly Subnet[];
  readonly containers: number;
}

/**
 * Describes a file that begins with `front`, if it is not one of ours; undefined while it may be.
 * It takes 4 bytes to recognize a pcapng file (fewer at the end of the file, `atEnd`), and 12 to
 * recognize its byte order.
 */
export function foreignBeginning(front: Uint8Array, atEnd: boolean): string | undefined {
  if (front.length < 4 && !atEnd) return undefined;
  const view = new DataView(front.buffer, front.byteOffset, front.length);
  const begun = sectionBytes.every((byte, at) => at >= front.length || front[at] === byte);
  if (!begun) {
    const magic = front.length >= 4 ? view.getUint32(0, true) : 0;
    return pcapMagics.has(magic) ? "it is a classic pcap file" : "it is no capture file";
  }
  if (front.length < 12 || view.getUint32(8, true) === byteOrderMagic) return undefined;
  return view.getUint32(8, false) === byteOrderMagic
    ? "it is a big-endian pcapng file of another program"
    : "it has no byte-order magic";
}

/** BlockType.sectionHeader in either byte order: it is a palindrome (section 4.1). */
const sectionBytes = [0x0a, 0x0d, 0x0d, 0x0a];
/** Microsecond and nanosecond files, each in either byte order (draft-ietf-opsawg-pcap). */
const pcapMagics = new Set([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1]);

/** Whether this section header is ours, in any version. */
export function isOurSection({ bytes, view }: Block): boolean {
  const tail = bytes.length - blockTailBytes;
  return tail >= 24 && view.getUint16(tail, true) === OptionCode.plgBlockCheck;
}

export function readSection(block: Block): SectionFacts {
  check(blockCheckHolds(block), "the section header's check sum does not match");
  const facts = jsonOf(readOptions(block, 24).get(OptionCode.comment) ?? []);
  const { plg, version, host, kernel, hardware, startNs, containers, notes } = facts;
  check(isCount(plg, Number.MAX_SAFE_INTEGER), "its format has no version");
  check(
    isReadableVersion(plg),
    `its format has version ${plg}, and this plg reads 1 to ${formatVersion}: use the plg that recorded it`,
  );
  check(isText(version) && isText(host) && isText(kernel) && isText(hardware), "a text is missing");
  check(typeof startNs === "string" && /^\d{1,19}$/.test(startNs), "invalid start time");
  const subnets = plg > 1 && isEmpty(facts["subnets"]) ? [] : subnetsOf(facts["subnets"]);
  const most = subnets.length === 0 ? maxHosts : maxContainers;
  check(
    isCount(containers, Math.min(most, ...subnets.map(({ capacity }) => capacity))),
    "invalid container count",
  );
  check(isNotes(notes), "invalid notes: not plain values");
  const run = {
    toolVersion: version,
    host,
    kernel,
    hardware,
    startNs: BigInt(startNs),
    subnets: subnets.map(String),
    notes,
  };
  return { run, subnets, containers };
}

/** Reads container `index`, counted from 0, of a run in these subnets. */
export function readContainer(
  block: Block,
  subnets: readonly Subnet[],
  index: ContainerIndex,
): ContainerInfo {
  check(blockCheckHolds(block), "an interface's check sum does not match");
  const options = readOptions(block, 16);
  const name = textOf(options.get(OptionCode.ifName) ?? []);
  check(isContainerName(name), "an interface has no proper name");
  const command = options.get(OptionCode.comment) ?? options.get(OptionCode.ifDescription) ?? [];
  check(
    command.reduce((sum, piece) => sum + piece.length, 0) <= maxCommandBytes,
    "a command is longer than any that can be run",
  );
  const addresses = [
    ...addressesOf(options.get(OptionCode.ifIPv4addr) ?? [], 8, 4),
    ...addressesOf(options.get(OptionCode.ifIPv6addr) ?? [], 17, 6),
  ];
  if (subnets.length === 0) {
    check(addresses.length > 0, "an interface has no address");
    return { name, command: textOf(command), addresses };
  }
  const due = subnets.map((subnet) => subnet.addressOf(hostOf(index)));
  check(
    addresses.length === due.length && due.every((address) => addresses.includes(address)),
    "an interface does not have its addresses",
  );
  return { name, command: textOf(command), addresses };
}

function addressesOf(values: readonly Uint8Array[], lengthBytes: number, family: 4 | 6): string[] {
  return values.map((value) => {
    check(value.length === lengthBytes, "an interface's address has a wrong length");
    return formatAddress(value, 0, family);
  });
}

/** How a container's command ended, and how many records the container sent. */
export interface ContainerEnd {
  readonly container: ContainerIndex;
  readonly exit: CommandExit;
  /** In nanoseconds since the epoch. */
  readonly endNs: bigint;
  readonly records: number;
}

export function readContainerEnd(block: Block): ContainerEnd {
  check(blockCheckHolds(block), "a statistics block's check sum does not match");
  check(block.bytes.length >= 20 + blockTailBytes, "a statistics block is too short");
  const options = readOptions(block, 20);
  const { exitCode, signal, stoppedAtNs, lastedNs } = jsonOf(options.get(OptionCode.comment) ?? []);
  check(exitCode === undefined || isCount(exitCode, 255), "invalid exit code");
  check(
    signal === undefined || (isText(signal) && /^SIG[A-Z0-9+-]{1,16}$/.test(signal)),
    "invalid signal",
  );
  check(
    stoppedAtNs === undefined || isCount(stoppedAtNs, Number.MAX_SAFE_INTEGER),
    "invalid time of a stop",
  );
  check(
    lastedNs === undefined || isCount(lastedNs, Number.MAX_SAFE_INTEGER),
    "invalid duration of a command",
  );
  const received = options.get(OptionCode.isbIfRecv)?.[0];
  check(received?.length === 8, "a statistics block has no count");
  const count = new DataView(received.buffer, received.byteOffset, 8).getBigUint64(0, true);
  const high = BigInt(block.view.getUint32(12, true));
  const endNs = (high << 32n) | BigInt(block.view.getUint32(16, true));
  const exit = {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
    ...(stoppedAtNs === undefined ? {} : { stoppedAtNs }),
    ...(lastedNs === undefined ? {} : { lastedNs }),
  };
  return { container: block.view.getUint32(8, true), exit, endNs, records: Number(count) };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown, most: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most;
}

/** Reads the subnets of a run: one or two, of different families. */
function subnetsOf(value: unknown): Subnet[] {
  check(Array.isArray(value) && value.every(isText), "invalid subnets");
  try {
    const subnets = value.slice(0, 3).map((text) => Subnet.parse(text));
    const families = new Set(subnets.map(({ family }) => family));
    check(families.size === value.length && value.length > 0, "invalid subnets");
    return subnets;
  } catch (error) {
    if (error instanceof UsageError) throw new BlockProblem("invalid subnets");
    throw error;
  }
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isNotes(value: unknown): value is RunInfo["notes"] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((note) =>
    ["string", "number", "boolean"].includes(typeof note),
  );
}
