// The disk under the dump: full, broken, stalled, slow. What was sent is compared with what is in
// the dump and with what was received.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { needsRoot } from "../programs/machine.ts";
import { expectOk, type Finished, type Running } from "../programs/plg.ts";
import { statusKilobytes } from "../programs/processes.ts";
import { eventually } from "../programs/waiting.ts";
import { Disk } from "./disk.ts";
import { dumped } from "./dumped.ts";
import { fault, type FaultContext, range, rounds } from "./fault.ts";
import { figureIn, heldUp, recordFlow } from "./flow.ts";

const mostMegabytes = 200;

needsRoot("/dev/loop-control", "mkfs.ext4", "mount", "umount", "prlimit", "ping");

/** Makes a disk anew for each round, and takes it away. */
async function onDisks<T>(
  context: FaultContext,
  make: (folder: string) => Disk,
  round: (disk: Disk) => Promise<T>,
): Promise<T[]> {
  return rounds(context, async (number) => {
    const folder = join(context.folder, String(number));
    mkdirSync(folder);
    const disk = make(folder);
    try {
      return await round(disk);
    } finally {
      disk.unmount();
    }
  });
}

const ext4 =
  (megabytes: number) =>
  (folder: string): Disk =>
    Disk.make(folder, megabytes);

/** What was sent, recorded and received is the same. */
function expectWhole(run: Finished, dump: string, bytes: number): void {
  expectOk(run);
  expect(figureIn(run, /sent (\d+)/)).toBe(bytes);
  expect(figureIn(run, /received (\d+) right/)).toBe(bytes);
  expect(dumped(dump, 7000)).toMatchObject({ bytes, complete: true });
}

/**
 * The run ended because the dump could not be written: what was received is there, but for the last
 * of it.
 */
function lostMegabytes(run: Finished, dump: string, message: RegExp): number {
  expect(run.exitCode).toBe(4);
  expect(run.stderr).toMatch(message);
  const received = figureIn(run, /received (\d+) right/);
  const { bytes } = dumped(dump, 7000);
  expect(bytes).toBeGreaterThan(1e6);
  // The ring, and what was on its way in two sockets.
  expect(received - bytes).toBeLessThan(40e6);
  return Math.max(0, received - bytes) / 1e6;
}

const peakMegabytes = (run: Running): number => statusKilobytes(run.pid, "VmHWM") / 1000;

fault("diskFull", async (context) => {
  const lost = await onDisks(context, ext4(24), async (disk) => {
    const dump = join(disk.path, "dump");
    const run = await context.plg.run(recordFlow("endless", dump));
    return lostMegabytes(run, dump, /^plg: cannot write the dump .*no space left.*make room/m);
  });
  return {
    lost: `what came when it was full; the last ${range(lost, "MB")} of that had been delivered`,
    afterwards: "the run is ended, plg says why; exit code 4; the dump is good",
  };
});

fault("fileLimit", async (context) => {
  const { plg, folder } = context;
  const lost = await rounds(context, async () => {
    const through = ["prlimit", `--fsize=${10 * 1024 * 1024}`];
    const run = await plg.run(recordFlow("endless", "dump"), { through });
    const message = /^plg: cannot write the dump .*EFBIG.*ulimit -f/m;
    return lostMegabytes(run, join(folder, "dump"), message);
  });
  return {
    lost: `what came then; the last ${range(lost, "MB")} of that had been delivered`,
    afterwards: "the run is ended, plg says why; exit code 4; the dump is good",
  };
});

fault("diskGone", async (context) => {
  await onDisks(context, ext4(400), async (disk) => {
    const run = context.plg.start(recordFlow("endless", join(disk.path, "dump")));
    await run.prints(/flowing/);
    disk.break();
    const ended = await run.ended;
    expect(ended.exitCode).toBe(4);
    expect(ended.stderr).toMatch(/^plg: cannot write the dump .*\(EIO\)/m);
  });
  return {
    lost: "what the disk lost",
    afterwards: "the run is ended, plg says why; exit code 4",
  };
});

fault("diskReadOnly", async (context) => {
  await onDisks(context, ext4(8), async (disk) => {
    disk.makeReadOnly();
    const run = await context.plg.run(["record", `-f${disk.path}/dump`, "touch ran"]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/^plg: cannot write the dump [^\n]*EROFS[^\n]*-f PATH\n$/);
  });
  return { lost: "nothing", afterwards: "no command is started; exit code 2" };
});

fault("dumpInMemory", async (context) => {
  const bytes = 30_000_000;
  await onDisks(
    context,
    (folder) => Disk.makeInMemory(folder),
    async (disk) => {
      const dump = join(disk.path, "dump");
      expectWhole(await context.plg.run(recordFlow(bytes, dump)), dump, bytes);
    },
  );
  return { lost: "nothing", afterwards: "the dump is complete; exit code 0" };
});

fault("diskStalls", async (context) => {
  const { plg, folder } = context;
  const bytes = 80_000_000;
  const peaks = await onDisks(context, ext4(400), async (disk) => {
    const dump = join(disk.path, "dump");
    const run = plg.start(recordFlow(bytes, dump));
    await run.prints(/flowing/);
    disk.freeze();
    expect(await heldUp(folder)).toBeLessThan(bytes);
    const peak = peakMegabytes(run);
    disk.thaw();
    expectWhole(await run.ended, dump, bytes);
    return peak;
  });
  const peak = Math.max(...peaks);
  expect(peak).toBeLessThan(mostMegabytes);
  return {
    lost: "nothing",
    afterwards: `senders wait, plg takes ${peak.toFixed(0)} MB at most; the dump is complete; exit code 0`,
  };
});

fault("datagramsInStall", async (context) => {
  const { plg, folder } = context;
  const pings = 400;
  // Of 60,008 bytes with the ICMP header, by 1480.
  const fragments = 41;
  const counts = await onDisks(context, ext4(200), async (disk) => {
    const go = join(folder, "go");
    rmSync(go, { force: true });
    const wait = "echo ready; until [ -e go ]; do sleep 0.01; done";
    const ping = `ping -q -c ${pings} -i 0.002 -W 1 -s 60000 10.0.0.1; :`;
    const dump = join(disk.path, "dump");
    const client = `client=${wait}; ${ping}`;
    const run = plg.start(["record", `-f${dump}`, "--until=client", "server=sleep 60", client]);
    await run.prints(/ready/);
    disk.freeze();
    writeFileSync(go, "");
    await run.prints(/transmitted/);
    disk.thaw();
    const ended = await run.ended;
    expectOk(ended);
    const lost = pings - figureIn(ended, /transmitted, (\d+) received/);
    expect(lost).toBeGreaterThan(0);
    const told = /^plg: (\d+) packets dropped: the dump had no room/m.exec(ended.stderr);
    expect(Number(told?.[1])).toBeGreaterThanOrEqual(lost);
    expect(Number(told?.[1])).toBeLessThanOrEqual(lost * fragments);
    return lost;
  });
  return {
    lost: `datagrams, once the ring is full: ${range(counts, `of ${pings} pings of 60 kB`)}`,
    afterwards: "plg tells how many; the dump is complete; exit code 0",
  };
});

fault("killInStall", async (context) => {
  const { plg, folder } = context;
  await onDisks(context, ext4(400), async (disk) => {
    const dump = join(disk.path, "dump");
    const run = plg.start(recordFlow("endless", dump));
    await run.prints(/flowing/);
    disk.freeze();
    await heldUp(folder);
    run.kill("SIGKILL");
    // plg waits for its disk, and its undertaker for plg. The first processes of the PID namespaces
    // are dead, but the kernel keeps them until plg reaps the commands: they have no command line.
    const living = (): string[] => plg.leftovers().filter((line) => !/^\d+ $/.test(line));
    await eventually("no command is left", () => living().length <= 1, {
      explain: () => living().join("\n"),
    });
    disk.thaw();
    await run.ended;
    expect(dumped(dump, 7000).complete).toBe(false);
  });
  return {
    lost: "what waited for the disk",
    afterwards: "the commands are ended at once, plg when the disk goes on; the dump is good",
  };
});

fault("diskSlow", async (context) => {
  const { plg } = context;
  const bytes = 60_000_000;
  const figures = await onDisks(context, ext4(200), async (disk) => {
    const dump = join(disk.path, "dump");
    const run = plg.start(recordFlow(bytes, dump));
    await run.prints(/flowing/);
    while (run.isRunning() && !/received/.test(run.stdout)) {
      disk.freeze();
      await sleep(100);
      disk.thaw();
      // About one block of the ring gets through.
      await sleep(2);
    }
    const ended = await run.ended;
    expectWhole(ended, dump, bytes);
    return bytes / 1e3 / ended.durationMs;
  });
  return {
    lost: "nothing",
    afterwards: `senders are as fast as the disk (${range(figures, "MB/s")}); the dump is complete; exit code 0`,
  };
});
