import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { PlgError, UsageError } from "../../../src/base/errors.ts";
import { closeDumpFile, DumpAppender, openDumpFile } from "../../../src/dump/store/file.ts";
import { readDump, readRun } from "../../../src/dump/store/reader.ts";
import { allocateRegion } from "../../../src/sys/memory.ts";
import { run, smallRecording, tell } from "./recording.ts";

const directory = mkdtempSync(join(tmpdir(), "plg-dump-"));
afterAll(() => rmSync(directory, { recursive: true }));

const page = allocateRegion(8192).bytes;

test("a dump is for its owner only, and an old one is emptied", () => {
  const path = join(directory, "new.dump");
  closeDumpFile(openDumpFile(path));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, "old");
  chmodSync(path, 0o644);
  closeDumpFile(openDumpFile(path));
  expect(statSync(path).size).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a path that cannot be written is wrong usage, and is named", () => {
  const fifo = join(directory, "fifo");
  execFileSync("/bin/sh", ["-c", 'mkfifo "$0"', fifo]);
  const cases: [string, RegExp][] = [
    [directory, /: it is a directory$/],
    [join(directory, "no/such/x"), /: no such file or directory \(ENOENT\)$/],
    ["/proc/version/x", /: not a directory \(ENOTDIR\)/],
    ["/proc/x", /: no such file or directory \(ENOENT\)/],
    [fifo, /: it is neither an ordinary file nor \/dev\/null/],
    ["/dev/zero", /: it is neither an ordinary file nor \/dev\/null/],
  ];
  for (const [path, message] of cases) {
    expect(() => openDumpFile(path)).toThrow(UsageError);
    expect(() => openDumpFile(path)).toThrow(message);
    expect(() => openDumpFile(path)).toThrow(path);
  }
});

test("/dev/null takes everything", () => {
  const file = openDumpFile("/dev/null");
  const appender = new DumpAppender(file, 0);
  appender.append(page);
  appender.append(page);
  expect(appender.lengthBytes).toBe(16_384);
  closeDumpFile(file);
});

test("a full disk is told with the file, the reason and how far it came", () => {
  const fd = openSync("/dev/full", "w");
  const appender = new DumpAppender({ path: "big.dump", fd, direct: false }, 8192);
  expect(() => appender.append(page)).toThrow(
    "cannot write the dump big.dump beyond 8192 bytes: no space left on device (ENOSPC); " +
      "what was recorded until then can be read; make room or use another file system",
  );
  expect(() => appender.append(page)).toThrow(expect.objectContaining({ code: "dump-incomplete" }));
  expect(appender.lengthBytes).toBe(8192);
  closeSync(fd);
});

test("a file system that refuses O_DIRECT only at the write is written without", () => {
  const path = join(directory, "refusing.dump");
  const file = openDumpFile(path);
  const appender = new DumpAppender({ ...file, direct: true }, 0);
  // Memory that does not begin at a page has the kernel refuse it just so (on tmpfs it does not
  // mind).
  const unaligned = new Uint8Array(page.buffer, page.byteOffset + 4, 4096).fill(7);
  appender.append(unaligned);
  appender.append(page.fill(8));
  appender.close();
  closeDumpFile(file);
  expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.alloc(4096, 7), Buffer.alloc(8192, 8)]));
});

test("a file is read as it was recorded", () => {
  const path = join(directory, "read.dump");
  const recording = smallRecording();
  writeFileSync(path, recording.finish().bytes);
  expect([...readDump(path)].length).toBe(recording.told.length);
  expect(Array.from(readDump(path), tell)).toEqual(recording.told);
  expect(readRun(path)).toEqual(run);
});

test("a file that cannot be read is told with exit code 5", () => {
  for (const path of [join(directory, "absent"), directory]) {
    expect(() => readRun(path)).toThrow(PlgError);
    expect(() => readRun(path)).toThrow(expect.objectContaining({ code: "dump-unreadable" }));
    expect(() => readRun(path)).toThrow(path);
  }
});
