// kill -9, of everything that can be killed. That no process is left is asserted by the fixture
// after each test.
import { statSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { needsRoot } from "../programs/machine.ts";
import { actor, expectOk, type Running } from "../programs/plg.ts";
import { childrenOf, isFirstInPidNamespace } from "../programs/processes.ts";
import { eventually } from "../programs/waiting.ts";
import { dumped } from "./dumped.ts";
import { fault, type FaultContext, pidOf, range, rounds } from "./fault.ts";
import { figureIn, flow, recordFlow } from "./flow.ts";
import { UserNamespace } from "./user-namespace.ts";

const talk = actor("talk.mjs");
const clock = actor("clock.mjs");

needsRoot("unshare", "nsenter");

/**
 * Two containers with two connections: a flow as fast as it goes, and a clock that tells when it
 * was sent.
 */
const busy = [
  "record",
  "--wait-listen=10s",
  `server=${flow} serve 7000 & exec ${talk} listen=7001 count-end`,
  `client=${flow} send 10.0.0.1 7000 endless & exec ${clock} 10.0.0.1 7001`,
];

const randomMoment = (): Promise<void> => sleep(Math.random() * 1000);

/**
 * How far back from the kill the dump ends, in milliseconds; undefined if nothing had been sent by
 * then.
 */
function lostMs(dump: string, killedAtMs: number): number | undefined {
  dumped(dump, 7000);
  const { text, complete } = dumped(dump, 7001, "text");
  expect(complete).toBe(false);
  // The last line may have been cut.
  const last = text.split("\n").at(-2);
  return last === undefined ? undefined : killedAtMs - Number(last);
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

async function killed(run: Running): Promise<void> {
  run.kill("SIGKILL");
  await run.ended;
}

async function nothingIsLeft({ plg }: FaultContext): Promise<void> {
  await eventually("all processes have ended", () => plg.leftovers().length === 0);
}

fault("killPlg", async (context) => {
  const { plg, folder } = context;
  const stall = monitorEventLoopDelay({ resolution: 5 });
  let before = 0;
  const losses: number[] = [];
  await rounds(context, async (round) => {
    const run = plg.start([...busy, `-fdump${round}`]);
    stall.reset();
    stall.enable();
    // Every other time while it starts, however long that takes here.
    if (round % 2 === 0) await run.prints(/ticking/);
    await randomMoment();
    const killedAtMs = Date.now();
    await killed(run);
    stall.disable();
    await nothingIsLeft(context);
    const dump = join(folder, `dump${round}`);
    const lost = sizeOf(dump) === 0 ? undefined : lostMs(dump, killedAtMs);
    if (lost === undefined) before++;
    else losses.push(lost);
    // What a busy machine held up this process it held up plg as well.
    expect(lost ?? 0).toBeLessThan(200 + 50 + stall.max / 1e6);
  });
  // Of those that were killed just after the first byte, nothing need be there yet.
  expect(losses.length).toBeGreaterThan(context.times / 4);
  return {
    lost: `the last ${range(losses, "ms")}; in ${before} rounds nothing had been sent yet`,
    afterwards: "the dump is good to its last whole block",
  };
});

fault("killInUserNamespace", async (context) => {
  const { plg, folder } = context;
  // Its own, and those of one run: two containers and the pipe space.
  const space = await UserNamespace.make(1 + 3, folder);
  const through = space.entrance;
  try {
    const waits = await rounds(context, async (round) => {
      const run = plg.start(busy, { through });
      if (round % 2 === 0) await run.prints(/ticking/);
      await randomMoment();
      await killed(run);
      const killedAtMs = performance.now();
      await nothingIsLeft(context);
      const hasRoom = async (): Promise<boolean> =>
        (await plg.run(["record", "true", "true"], { through })).exitCode === 0;
      await eventually("there is room for the next run", hasRoom, { timeoutMs: 30_000 });
      return performance.now() - killedAtMs;
    });
    return {
      lost: "as above",
      afterwards: `no namespace is left: ${range(waits, "ms")} later another run had been made`,
    };
  } finally {
    await space.close();
  }
});

fault("killReplay", async (context) => {
  const { plg } = context;
  const commands = [`server=${talk} listen=7001 count-end`, `client=${clock} 10.0.0.1 7001`];
  const recording = plg.start(["record", "--wait-listen=10s", ...commands]);
  await recording.prints(/ticking/);
  await sleep(1000);
  recording.kill("SIGINT");
  await recording.ended;
  await rounds(context, async () => {
    const run = plg.start(["replay", "--speed=1"]);
    await randomMoment();
    await killed(run);
    await nothingIsLeft(context);
  });
  expectOk(await plg.run(["show"]));
  return { lost: "nothing", afterwards: "the dump is as it was" };
});

fault("killKeeper", async (context) => {
  const { plg, folder } = context;
  await rounds(context, async () => {
    const run = plg.start(busy);
    await run.prints(/ticking/);
    const keeper = childrenOf(run.pid).find(isFirstInPidNamespace) ?? 0;
    expect(keeper).toBeGreaterThan(0);
    process.kill(keeper, "SIGKILL");
    const { exitCode, stderr } = await run.ended;
    expect(stderr).toContain("the process that keeps the commands' namespace was killed");
    expect(exitCode).toBe(1);
    expect(dumped(join(folder, "dump.traffic"), 7000).complete).toBe(true);
  });
  return {
    lost: "nothing of what the commands had sent",
    afterwards: "all commands are ended, plg says why; the dump is complete; exit code 1",
  };
});

fault("killCommand", async (context) => {
  const { plg, folder } = context;
  const figures = await rounds(context, async () => {
    const run = plg.start(recordFlow("endless"));
    await run.prints(/flowing/);
    await randomMoment();
    process.kill(pidOf(run, "flow.mjs send"), "SIGKILL");
    const ended = await run.ended;
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/^plg: client was ended by SIGKILL after/m);
    const { bytes, complete } = dumped(join(folder, "dump.traffic"), 7000);
    expect(figureIn(ended, /received (\d+) right/)).toBe(bytes);
    expect(complete).toBe(true);
    return bytes / 1e6;
  });
  return {
    lost: `nothing: what the peer received (${range(figures, "MB")}) is what was recorded`,
    afterwards: "the peer reads the end of the stream; the dump is complete; exit code 1",
  };
});
