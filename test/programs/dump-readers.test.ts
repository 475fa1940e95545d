/**
 * Other readers judge the dump: tshark, tcpdump and capinfos read every kind of it without a word.
 * The dumps are written by the real thread, so the built code is used: `npm run build` comes first.
 */
import { Direction } from "../../src/base/direction.ts";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Family, Fd } from "../../src/base/units.ts";
import type { StreamState } from "../../src/dump/format/encoder.ts";
import { openDumpFile } from "../../src/dump/store/file.ts";
import { readDump } from "../../src/dump/store/reader.ts";
import { RecordKind, type RunInfo } from "../../src/dump/format/schema.ts";
import { DumpSink } from "../../src/dump/store/sink.ts";
import type { Pieces } from "../../src/sys/pieces.ts";
import type { DumpWriter, startWriter as StartWriter } from "../../src/dump/store/writer.ts";
import { endpoint, ipPacket, pattern, run } from "../unit/dump/recording.ts";

// The writer finds its thread's code beside itself: only the built one does.
const builtWriter = new URL("../../dist/dump/store/writer.js", import.meta.url).href;
const { startWriter } = (await import(builtWriter)) as { startWriter: typeof StartWriter };

const directory = mkdtempSync(join(tmpdir(), "plg-readers-"));
const memory = mkdtempSync("/dev/shm/plg-readers-");
afterAll(() => {
  rmSync(directory, { recursive: true });
  rmSync(memory, { recursive: true });
});

const { toServer, toClient } = Direction;

/**
 * Records what `record` does, into a new file at `path`; there is no engine, so a full ring is
 * waited for.
 */
async function makeDump(
  path: string,
  info: RunInfo,
  record: (sink: DumpSink) => void | Promise<void>,
): Promise<DumpWriter> {
  const writer = startWriter(openDumpFile(path), info);
  const sink = new DumpSink(writer.sinkStore, -1 as Fd);
  await record(sink);
  await until(() => sink.seal());
  const exits = info.containers.map(() => ({ exitCode: 0 }));
  await writer.close({ endNs: info.startNs + 10n ** 10n, exits });
  return writer;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

async function send(
  sink: DumpSink,
  stream: StreamState,
  direction: Direction,
  bytes: Uint8Array,
  atNs: number,
): Promise<void> {
  let place: Pieces | undefined;
  await until(() => (place = sink.reserve(stream.family, 1)) !== undefined);
  place?.region.bytes.set(bytes, place.at);
  sink.commit(stream, direction, bytes.length, atNs);
}

function connect(sink: DumpSink, family: Family, port: number, atNs: number): StreamState {
  return sink.connect(family, endpoint(family, 1, port), endpoint(family, 0, 7777), atNs);
}

/** One connection whose two directions carry `chunks` in turn, closed by both. */
async function talk(
  sink: DumpSink,
  family: Family,
  port: number,
  chunks: Uint8Array[],
): Promise<void> {
  const stream = connect(sink, family, port, port);
  sink.event(stream, RecordKind.accept, toClient, port + 1);
  for (const [i, chunk] of chunks.entries()) {
    await send(sink, stream, i % 2 === 0 ? toServer : toClient, chunk, port + 2 + i);
  }
  sink.event(stream, RecordKind.end, toServer, port + 1000);
  sink.event(stream, RecordKind.end, toClient, port + 1001);
}

/** Every kind of record. */
async function recordEverything(sink: DumpSink): Promise<void> {
  for (const family of [4, 6] as const) {
    await talk(sink, family, 40_000, [Buffer.from("question"), pattern(3000, family)]);
    sink.event(connect(sink, family, 40_001, 9000), RecordKind.refuse, toClient, 9001);
    const broken = connect(sink, family, 40_002, 9002);
    sink.event(broken, RecordKind.accept, toClient, 9003);
    await send(sink, broken, toClient, Buffer.from("hal"), 9004);
    sink.event(broken, RecordKind.reset, toServer, 9005);
    connect(sink, family, 40_003, 9006);
    sink.packet(1, 0, udpPacket(family), 0, udpPacket(family).length, 9007);
    sink.packet(1, -1, udpPacket(family), 0, udpPacket(family).length, 9008);
  }
}

/** A UDP datagram from the client to the server, of 4 bytes. */
function udpPacket(family: Family): Uint8Array {
  const header = family === 4 ? 20 : 40;
  const packet = ipPacket(family, header + 12);
  const view = new DataView(packet.buffer);
  const [from, to] = [endpoint(family, 1, 41_000), endpoint(family, 0, 41_001)];
  packet.fill(0, 1, header + 8);
  view.setUint16(family === 4 ? 2 : 4, family === 4 ? packet.length : 12);
  packet[family === 4 ? 9 : 6] = 17;
  packet.set(from.address, header - 2 * from.address.length);
  packet.set(to.address, header - to.address.length);
  view.setUint16(header, from.port);
  view.setUint16(header + 2, to.port);
  view.setUint16(header + 4, 12);
  view.setUint16(header + 6, 0xabcd);
  return packet;
}

function succeeds(command: string, ...parameters: string[]): boolean {
  return spawnSync(command, parameters).status === 0;
}

/** Runs a reader: it must succeed and have nothing to say but what it says of every file. */
function readWith(command: string, ...parameters: string[]): string {
  const result = spawnSync(command, parameters, { encoding: "utf8", maxBuffer: 1 << 28 });
  const unusual = result.stderr
    .split("\n")
    .filter((line) => line !== 'Running as user "root" and group "root". This could be dangerous.')
    .filter(
      (line) =>
        !/^reading from file \S+, link-type EN10MB \(Ethernet\), snapshot length 262144$/.test(
          line,
        ),
    );
  expect(unusual.join("\n")).toBe("");
  expect(result.status).toBe(0);
  return result.stdout;
}

function linesOf(text: string): number {
  return text.split("\n").length - 1;
}

function readWithAll(path: string, packets: number): void {
  expect(linesOf(readWith("tshark", "-n", "-r", path))).toBe(packets);
  expect(linesOf(readWith("tcpdump", "-n", "-t", "-r", path))).toBe(packets);
  expect(readWith("capinfos", "-M", "-c", path)).toMatch(new RegExp(`packets: *${packets}\n`));
}

/** Both directions of the `index`th TCP stream as tshark follows it. */
function follow(path: string, index: number): [Buffer, Buffer] {
  const out = readWith("tshark", "-r", path, "-q", "-z", `follow,tcp,raw,${index}`);
  const both: [string[], string[]] = [[], []];
  for (const line of out.split("\n").filter((text) => /^\t?[0-9a-f]+$/.test(text))) {
    both[line.startsWith("\t") ? 1 : 0].push(line.trim());
  }
  return [Buffer.from(both[0].join(""), "hex"), Buffer.from(both[1].join(""), "hex")];
}

describe.each([
  ["on a disk", directory],
  ["in memory", memory],
])("a dump %s", (_, place) => {
  test("of every kind of record is read by all", async () => {
    const path = join(place, "everything.dump");
    await makeDump(path, run, recordEverything);
    readWithAll(path, 2 * 15);
    expect(readWith("tshark", "-r", path, "-Y", "_ws.malformed || tcp.analysis.flags")).toBe("");
    const [question, answer] = follow(path, 0);
    expect(question.toString()).toBe("question");
    expect(answer).toEqual(Buffer.from(pattern(3000, 4)));
    const [, answer6] = follow(path, 4);
    expect(answer6).toEqual(Buffer.from(pattern(3000, 6)));
  });

  test("in which nothing happened is read by all", async () => {
    const path = join(place, "nothing.dump");
    await makeDump(path, run, () => {});
    readWithAll(path, 0);
  });
});

test("megabytes in chunks of every size are read by all, and followed byte by byte", async () => {
  const path = join(directory, "bulk.dump");
  const lengths = [1, 2, 3, 4, 5, 1000, 4096, 65_494, 65_495];
  const chunks = Array.from({ length: 360 }, (_, i) =>
    pattern(lengths[i % lengths.length] ?? 1, i),
  );
  await makeDump(path, run, async (sink) => {
    await talk(sink, 4, 40_000, chunks);
    await talk(sink, 6, 40_001, chunks);
  });
  readWithAll(path, 2 * (360 + 4));
  for (const index of [0, 1]) {
    const [question, answer] = follow(path, index);
    expect(question.equals(Buffer.concat(chunks.filter((_, i) => i % 2 === 0)))).toBe(true);
    expect(answer.equals(Buffer.concat(chunks.filter((_, i) => i % 2 === 1)))).toBe(true);
  }
});

test("after every write so far the file is a dump that all read", async () => {
  const path = join(directory, "growing.dump");
  const lengths: number[] = [];
  await makeDump(path, run, async (sink) => {
    for (const family of [4, 6] as const) {
      await talk(sink, family, 40_000 + family, [pattern(100, 1), pattern(5000, 2)]);
      const before = readFileSync(path).length;
      // As the engine's timer does: nothing is handed over while the writer is busy.
      await until(() => {
        sink.flush();
        return readFileSync(path).length > before;
      });
      lengths.push(before, readFileSync(path).length);
    }
  });
  const bytes = readFileSync(path);
  const prefix = join(directory, "prefix.dump");
  for (const [i, length] of lengths.entries()) {
    writeFileSync(prefix, bytes.subarray(0, length));
    readWithAll(prefix, [0, 6, 6, 12][i] as number);
    expect([...readDump(prefix)].length).toBe(1 + ([0, 6, 6, 12][i] as number));
  }
});

test("thousands of containers and long commands in any script are read by all", async () => {
  const path = join(directory, "many.dump");
  const containers = Array.from({ length: 4000 }, (_, i) => ({
    name: `cage-${i}`,
    command: i === 7 ? `echo ${"ö".repeat(60_000)}` : `run ${i}`,
    addresses: [`10.0.${(i + 1) >> 8}.${(i + 1) & 255}`, `fd70:6c67:a00::${(i + 1).toString(16)}`],
  }));
  const info = { ...run, subnets: ["10.0.0.0/16", "fd70:6c67:a00::/64"], containers };
  await makeDump(path, info, (sink) => talk(sink, 4, 40_000, [Buffer.from("x")]));
  readWithAll(path, 5);
  expect(readWith("tshark", "-N", "n", "-r", path)).toContain("cage-1");
  const [first] = readDump(path);
  expect(first?.type === "run" && first.run.containers).toEqual(containers);
});

test("a full disk ends the recording with its reason, and what came before is a dump", async (context) => {
  const mount = join(directory, "small");
  mkdirSync(mount);
  const mounted = succeeds("mount", "-t", "tmpfs", "-o", "size=3m", "plg-test", mount);
  if (!mounted) context.skip("no right to mount a small file system");
  try {
    const path = join(mount, "full.dump");
    const writer = startWriter(openDumpFile(path), run);
    const sink = new DumpSink(writer.sinkStore, -1 as Fd);
    const stream = connect(sink, 4, 40_000, 0);
    sink.event(stream, RecordKind.accept, toClient, 1);
    await until(() => {
      while (sink.reserve(4, 1) !== undefined) sink.commit(stream, toServer, 60_000, 2);
      return sink.failed;
    });
    const failure = await writer.failed;
    expect(failure).toMatchObject({ code: "dump-incomplete" });
    expect(failure.message).toMatch(
      /^cannot write the dump \S+full.dump beyond \d{7} bytes: no space left on device \(ENOSPC\); /,
    );
    expect(sink.seal()).toBe(true);
    const { writtenBytes } = await writer.close({ endNs: run.startNs, exits: [{}, {}, {}] });
    expect(statSync(path).size).toBe(writtenBytes);
    const reading = readDump(path);
    let items = 0;
    for (let next = reading.next(); ; next = reading.next(), items++) {
      if (next.done !== true) continue;
      expect(next.value).toEqual({ complete: false, tornAt: undefined });
      break;
    }
    readWithAll(path, items - 1);
  } finally {
    succeeds("umount", mount);
  }
});
