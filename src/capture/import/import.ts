/**
 * Imports captures. It reads them twice, because a dump begins with its containers, which only the
 * whole capture reveals. Memory is bounded by the tracker's limits; no payload is kept.
 */
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { maxHosts, type RunInfo } from "../../dump/format/schema.ts";
import { DumpDestination } from "../../dump/store/destination.ts";
import { closeDumpFile, DumpAppender } from "../../dump/store/file.ts";
import { DirectWriter } from "../../dump/store/direct-writer.ts";
import type { CaptureNote } from "../read/packet.ts";
import { Importer } from "../track/importer.ts";
import type { CutCapture, ImportResult } from "../track/result.ts";
import type { CaptureClock } from "../align/alignment.ts";
import { AlignedNumbers } from "../align/renumbering.ts";
import { CaptureFile } from "./capture-file.ts";
import { type CaptureSource, type ImportProgress, openSources } from "./capture-source.ts";
import { type Captures, compareCaptures } from "./compare-captures.ts";
import { containerNameFrom, containersFor, type ImportedContainers, textOf } from "./containers.ts";
import { DumpEventSink } from "./dump-sink.ts";
import { MergedCaptures } from "./merged-captures.ts";
import { Survey } from "./survey.ts";

/** The parameters of an import. */
export interface ImportOptions {
  /** Paths; `-` is standard input. */
  readonly captures: readonly string[];
  /** The dump to write. */
  readonly output: string;
  /** Names of containers by address, as text. */
  readonly names: ReadonlyMap<string, string>;
  readonly toolVersion: string;
  /** Whether to replace a file that is not a recording. */
  readonly force: boolean;
  readonly onProgress?: (progress: ImportProgress) => void;
}

/**
 * Imports captures into one dump. Throws a {@link PlgError} with exit code 5 if a file is not a
 * capture, and a {@link UsageError} if the dump cannot be written. An existing recording is moved
 * aside once all captures have been read.
 */
export async function importCaptures(options: ImportOptions): Promise<ImportResult> {
  const destination = DumpDestination.claim(options.output, { force: options.force });
  let sources: readonly CaptureSource[] = [];
  try {
    sources = await openSources(options.captures, options.output, options.onProgress);
    const result = await importTo(destination, options, sources);
    destination.keep();
    return result;
  } catch (error) {
    destination.withdraw();
    throw error;
  } finally {
    for (const source of sources) source.close();
  }
}

async function importTo(
  destination: DumpDestination,
  options: ImportOptions,
  sources: readonly CaptureSource[],
): Promise<ImportResult> {
  const survey = new Survey();
  const notes = new Notes();
  const captures = await compareCaptures(sources);
  const { importer, cut } = await pass(options, captures, survey, (note) => notes.add(note));
  const { epochSeconds, alignment } = captures;
  const addresses = importer.hosts.addresses;
  const names = new Map([...notes.names, ...options.names]);
  const hosts = containersFor(addresses, (host) => survey.hosts.has(host), names);
  checkCount(hosts.containers.length);
  const startNs = Number.isFinite(importer.firstNs) ? importer.firstNs : 0;
  const run = runFor(
    options,
    sources,
    hosts,
    BigInt(epochSeconds) * 1_000_000_000n + BigInt(startNs),
  );
  const writtenBytes = await writeDump(
    destination,
    options,
    captures,
    run,
    { addresses, ...hosts },
    startNs,
  );
  return {
    containers: hosts.containers,
    addresses: addresses.map(textOf),
    containerOf: hosts.containerOf,
    frames: importer.frames,
    connections: survey.connections,
    packets: importer.packets,
    bytes: survey.bytes,
    durationNs: Math.max(0, importer.lastNs - startNs),
    writtenBytes,
    findings: importer.findings,
    cut,
    clocks: sources.map(({ name }, i) => ({
      path: name,
      ...(alignment.clocks[i] as CaptureClock),
    })),
    keysFile: writeKeys(options.output, notes.keys),
  };
}

interface Pass {
  readonly importer: Importer;
  readonly cut: readonly CutCapture[];
}

/** Reads all captures once, in the order of their packets' times. */
async function pass(
  { onProgress }: ImportOptions,
  { sources, epochSeconds, hosts, alignment }: Captures,
  sink: Survey | DumpEventSink,
  onNote: (note: CaptureNote) => void,
): Promise<Pass> {
  const files = sources.map((source) => new CaptureFile(source, onNote));
  const corrections = alignment.clocks.map(({ correction }) => correction);
  const merged = new MergedCaptures(files, epochSeconds, corrections, (readBytes) =>
    onProgress?.({ readBytes, isCopying: false }),
  );
  try {
    const renumbering = files.length > 1 ? new AlignedNumbers(alignment) : undefined;
    const importer = new Importer(sink, { hosts, renumbering });
    await merged.each((packet, atNs, capture) => importer.add(packet, atNs, capture));
    importer.end();
    const cut = files.flatMap((file) => {
      const { problem } = file.end();
      return problem === undefined ? [] : [{ path: file.name, ...problem }];
    });
    return { importer, cut };
  } finally {
    for (const file of files) await file.close();
  }
}

/** Writes the dump. Returns its length. */
async function writeDump(
  destination: DumpDestination,
  options: ImportOptions,
  captures: Captures,
  run: RunInfo,
  hosts: { readonly addresses: readonly Uint8Array[]; readonly containerOf: Int32Array },
  startNs: number,
): Promise<number> {
  const file = destination.open();
  try {
    const appender = new DumpAppender(file, 0);
    const writer = new DirectWriter(appender, run);
    const sink = new DumpEventSink(writer, hosts, startNs);
    const { importer } = await pass(options, captures, sink, () => {});
    const endNs = run.startNs + BigInt(Math.max(0, importer.lastNs - startNs));
    writer.close(
      endNs,
      run.containers.map(() => ({})),
    );
    appender.close();
    return appender.lengthBytes;
  } finally {
    closeDumpFile(file);
  }
}

function runFor(
  { toolVersion }: ImportOptions,
  sources: readonly CaptureSource[],
  { containers }: ImportedContainers,
  startNs: bigint,
): RunInfo {
  return {
    toolVersion,
    subnets: [],
    host: "",
    kernel: "",
    hardware: "",
    startNs: startNs < 0n ? 0n : startNs,
    notes: {
      captures: sources
        .map(({ name }) => basename(name))
        .join("\n")
        .slice(0, longestNote),
    },
    containers,
  };
}

/** All notes together must fit one option. */
const longestNote = 8192;

function checkCount(containers: number): void {
  if (containers <= maxHosts) return;
  throw new UsageError(
    `the captures have ${containers} hosts, and a dump holds ${maxHosts}: import part of them (tcpdump -r ... -w ... 'net 10.0.0.0/16')`,
  );
}

/** Writes the keys, which are secrets that only their owner may read. */
function writeKeys(output: string, keys: readonly Uint8Array[]): string | undefined {
  if (keys.length === 0) return undefined;
  const path = `${output}.keys`;
  writeFileSync(path, Buffer.concat(keys), { mode: 0o600 });
  return path;
}

/** Collects the names and keys in captures. */
class Notes {
  readonly names = new Map<string, string>();
  readonly keys: Uint8Array[] = [];

  add(note: CaptureNote): void {
    if (note.type === "tlsKeys") {
      this.keys.push(note.text);
      return;
    }
    const name = containerNameFrom(note.name);
    if (name !== undefined) this.names.set(textOf(note.address), name);
  }
}
