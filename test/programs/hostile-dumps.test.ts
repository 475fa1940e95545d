// Dumps that somebody else made: their commands do not run unasked, and what they play breaks
// nothing.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { Direction } from "../../src/base/direction.ts";
import { BlockType } from "../../src/dump/format/pcapng.ts";
import { RecordKind, recordTailBytes, type RunInfo, TailAt } from "../../src/dump/format/schema.ts";
import { ipPacket, Recording, run as madeUpRun } from "../unit/dump/recording.ts";
import { blocksOf, repair } from "../fuzz/repair.ts";
import { needs } from "./machine.ts";
import { expectOk, test } from "./plg.ts";
import { record, replay } from "./replays.ts";

/**
 * As a dump of this very host, whose commands leave a mark and have an order for the terminal in
 * them.
 */
function forgedRun(notes: RunInfo["notes"] = {}): RunInfo {
  const containers = madeUpRun.containers.map((container) => ({
    ...container,
    command: `echo pwned >pwned # \u001b[2K\u202e`,
  }));
  return { ...madeUpRun, host: hostname(), notes, containers };
}

function forge(path: string, about: RunInfo): void {
  writeFileSync(path, new Recording().finish(about).bytes);
}

describe("a dump that this user did not record", () => {
  needs("script");

  test("its commands are shown, and not run", async ({ plg, folder }) => {
    for (const seal of [undefined, "", "00".repeat(32), 7]) {
      forge(join(folder, "dump.traffic"), forgedRun(seal === undefined ? {} : { seal }));
      for (const quiet of [[], ["--quiet"]]) {
        const run = await plg.run(["replay", ...quiet]);
        expect(run).toMatchObject({ exitCode: 2, stdout: "" });
        expect(run.stderr).toContain(String.raw`plg:   server: echo pwned >pwned # \x1b[2K\u202e`);
        expect(run.stderr).toMatch(/another user or on another machine.*--run-recorded/);
        expect(run.stderr).not.toMatch(/[^\P{Cc}\n]/u);
        expect(existsSync(join(folder, "pwned"))).toBe(false);
      }
    }
  });

  test("nor with another command for one of them; with one for all, it is", async ({
    plg,
    folder,
  }) => {
    forge(join(folder, "dump.traffic"), forgedRun());
    const some = await plg.run(["replay", "--only=server,client", "server=true"]);
    expect(some.exitCode).toBe(2);
    expect(some.stderr).not.toContain("server: ");
    expectOk(await plg.run(["replay", "--only=server", "server=true"]));
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  test("with --run-recorded they run", async ({ plg, folder }) => {
    forge(join(folder, "dump.traffic"), forgedRun());
    const run = await plg.run(["replay", "--run-recorded"]);
    expect(existsSync(join(folder, "pwned"))).toBe(true);
    // In the made-up recording a signal ended the client.
    expect(run.exitCode, run.stderr).toBe(3);
  });

  test("on a terminal a yes runs them, and nothing else does", async ({ plg, folder }) => {
    forge(join(folder, "dump.traffic"), forgedRun());
    for (const [answer, runs] of [
      ["no", false],
      ["", false],
      ["y", true],
    ] as const) {
      // script(1) makes the terminal, and types what it reads.
      const asked = `printf '%s\\n' '${answer}' | script -qec "$0 replay" /dev/null`;
      const run = await plg.run([], { through: ["/bin/sh", "-c", asked] });
      expect(run.stdout).toContain("Run them? [y/N]");
      expect(existsSync(join(folder, "pwned")), run.stdout).toBe(runs);
    }
  });

  test("commands that were changed in a dump of one's own do not run", async ({ plg, folder }) => {
    await record(plg, "one=echo genuine");
    const path = join(folder, "dump.traffic");
    const dump = readFileSync(path);
    for (let at = dump.indexOf("genuine"); at >= 0; at = dump.indexOf("genuine", at))
      dump.write("changed", at);
    writeFileSync(path, repair(dump, "sums"));
    const run = await plg.run(["replay"]);
    expect(run.exitCode, run.stderr).toBe(2);
    expect(run.stdout).not.toContain("changed");
  });
});

describe("a dump of impossible traffic", () => {
  needs();

  test("ends its replay: packets of no protocol, connections to port 0 and from anywhere", async ({
    plg,
    folder,
  }) => {
    const recording = new Recording();
    for (const lengthBytes of [1, 19, 20, 40, 1500, 9000, 65_535]) {
      recording.packet(1, 0, ipPacket(4, lengthBytes));
      recording.packet(2, 0, ipPacket(6, lengthBytes));
    }
    recording.packet(1, 0, Uint8Array.of(0xff));
    recording.packet(1, -1, ipPacket(4, 20));
    recording.packet(0, 0, ipPacket(4, 20));
    for (const family of [4, 6] as const) {
      const stream = recording.connect(family, 1, 0);
      recording.event(stream, RecordKind.accept, Direction.toClient);
      recording.data(stream, Direction.toServer, Buffer.alloc(60_000, "x"));
      recording.event(stream, RecordKind.reset, Direction.toClient);
      recording.connect(family, 1, 1);
    }
    const { bytes } = recording.finish();
    // Behind Ethernet and IP stand the ports: 0, from 0.
    const view = new DataView(bytes.buffer);
    for (const { at, lengthBytes } of blocksOf(bytes)) {
      const isRecord = view.getUint32(at, true) === BlockType.enhancedPacket;
      const kindAt = at + lengthBytes - recordTailBytes + TailAt.kind;
      const isAttempt = isRecord && view.getUint8(kindAt) === RecordKind.connect;
      if (isAttempt) view.setUint32(at + 28 + 14 + (bytes[at + 28 + 12] === 8 ? 20 : 40), 0);
    }
    writeFileSync(join(folder, "dump.traffic"), repair(bytes, "sums"));
    const everybody = ["server=exec sleep 30", "client=exec sleep 30", "scout=exec sleep 30"];
    // Of the connections that the server refuses now, data and resets do not happen; of those that
    // the client never opens, nothing does.
    for (const [unplayed, words] of [
      [4, ["--only=server", "server=exec sleep 30"]],
      [8, ["--only=client", "client=exec sleep 30"]],
      [12, everybody],
      [12, ["--flood", ...everybody]],
    ] as const) {
      const { run, report } = await replay(plg, ["--patience=200ms", ...words]);
      expect([0, 3], `${words.join(" ")}\n${run.stderr}`).toContain(run.exitCode);
      expect(report.total - report.played, words.join(" ")).toBe(unplayed);
    }
  });

  test("a pause of a hundred days is waited for until the user has enough", async ({
    plg,
    folder,
  }) => {
    const recording = new Recording();
    recording.connect(4, 1, 0);
    recording.atNs = 100 * 86_400e9;
    recording.packet(1, 0, ipPacket(4, 40));
    writeFileSync(join(folder, "dump.traffic"), recording.finish().bytes);
    const slow = ["--only=server", "--speed=0.001", "server=echo up; sleep 1000"];
    const run = plg.start(["replay", ...slow]);
    await run.prints(/up/);
    run.kill("SIGTERM");
    const { exitCode, signal } = await run.ended;
    expect({ exitCode, signal }).toEqual({ exitCode: 143, signal: null });
  });
});
