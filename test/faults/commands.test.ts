// Commands that do what they should not, and limits that are reached.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { needsRoot } from "../programs/machine.ts";
import { expectOk, linesOf, type Running } from "../programs/plg.ts";
import { cpuMilliseconds, statusKilobytes } from "../programs/processes.ts";
import { dumped } from "./dumped.ts";
import { fault, pidOf, range, rounds } from "./fault.ts";
import { figureIn, flow, heldUp, recordFlow } from "./flow.ts";

const crowd = `'${process.execPath}' '${fileURLToPath(new URL("actors/crowd.mjs", import.meta.url))}'`;
const mostMegabytes = 220;
needsRoot("setsid", "ip", "prlimit", "setpriv");

/** What was sent, received and recorded is the same. */
async function expectWhole(run: Running, folder: string, bytes: number): Promise<void> {
  const ended = await run.ended;
  expectOk(ended);
  expect(figureIn(ended, /sent (\d+)/)).toBe(bytes);
  expect(figureIn(ended, /received (\d+) right/)).toBe(bytes);
  expect(dumped(join(folder, "dump.traffic"), 7000)).toMatchObject({ bytes, complete: true });
}

fault("stopCommand", async (context) => {
  const { plg, folder } = context;
  const bytes = 60_000_000;
  const ahead = await rounds(context, async () => {
    const run = plg.start(recordFlow(bytes));
    await run.prints(/flowing/);
    const receiver = pidOf(run, "flow.mjs serve");
    process.kill(receiver, "SIGSTOP");
    const sent = await heldUp(folder);
    expect(sent).toBeLessThan(bytes);
    expect(statusKilobytes(run.pid, "VmHWM") / 1000).toBeLessThan(mostMegabytes);
    process.kill(receiver, "SIGCONT");
    await expectWhole(run, folder, bytes);
    return sent / 1e6;
  });
  return {
    lost: "nothing",
    afterwards: `its peer waits (after ${range(ahead, "MB")}); the dump is complete; exit code 0`,
  };
});

fault("stopPlg", async (context) => {
  const { plg, folder } = context;
  const bytes = 40_000_000;
  await rounds(context, async () => {
    const run = plg.start(recordFlow(bytes));
    await run.prints(/flowing/);
    run.kill("SIGSTOP");
    await sleep(1000);
    run.kill("SIGCONT");
    await expectWhole(run, folder, bytes);
  });
  return { lost: "nothing", afterwards: "the dump is complete; exit code 0" };
});

fault("descriptors", async (context) => {
  const { plg } = context;
  // Without the privilege to raise the limit. 256 of it are kept for what is not a connection.
  const through = [
    "prlimit",
    "--nofile=400:400",
    "setpriv",
    "--bounding-set=-sys_resource",
    "--inh-caps=-sys_resource",
  ];
  const made = await rounds(context, async () => {
    const run = await plg.run(
      [
        "record",
        "--wait-listen=10s",
        "--until=client",
        `server=exec ${crowd} serve 7000`,
        `client=${crowd} join 10.0.0.1 7000 150`,
      ],
      { through },
    );
    expectOk(run);
    expect(run.stderr.match(/out of file descriptors: new connections are refused/g)).toHaveLength(
      1,
    );
    const connected = figureIn(run, /connected (\d+), /);
    expect(connected).toBeGreaterThan(10);
    expect(linesOf(run, "client")).toEqual([
      `connected ${connected}, echoed ${connected}, the others ECONNREFUSED`,
      "connected again",
    ]);
    return connected;
  });
  return {
    lost: "nothing of what was connected",
    afterwards: `with \`ulimit -n 400\` ${range(made, "connections")} go on, new ones are refused until others end; plg says so once; exit code 0`,
  };
});

fault("daemons", async (context) => {
  const { plg } = context;
  await rounds(context, async () => {
    // Forked twice, in a session of its own, deaf to what can be ignored.
    const daemon = `setsid sh -c 'trap "" TERM HUP INT; (while :; do sleep 0.1; done) &' >/dev/null 2>&1 &`;
    const run = plg.start(["record", "--grace=200ms", `one=${daemon} echo started`]);
    expectOk(await run.ended);
    expect(run.pidNamespace).toBeDefined();
    expect(plg.leftovers()).toEqual([]);
  });
  return { lost: "nothing", afterwards: "the daemons end with the run; exit code 0" };
});

fault("outputFlood", async (context) => {
  const { plg } = context;
  const peaks = await rounds(context, async () => {
    const run = plg.start(["record", "flood=echo flooding >&2; exec yes"], { stdout: "ignore" });
    await run.prints(/flooding/);
    // A gigabyte and more, on an idle machine.
    await sleep(3000);
    const peak = statusKilobytes(run.pid, "VmHWM") / 1000;
    run.kill("SIGINT");
    expect((await run.ended).exitCode).toBe(130);
    expect(peak).toBeLessThan(mostMegabytes);
    return peak;
  });
  return {
    lost: "nothing",
    afterwards: `plg takes ${Math.max(...peaks).toFixed(0)} MB at most; Ctrl-C ends the run; exit code 130`,
  };
});

fault("interfaceDown", async (context) => {
  const { plg, folder } = context;
  const bytes = 60_000_000;
  await rounds(context, async () => {
    const blink = "ip link set tun0 down; sleep 0.5; ip link set tun0 up";
    const run = plg.start([
      "record",
      "--wait-listen=10s",
      `server=exec ${flow} serve 7000`,
      `client=${flow} send 10.0.0.1 7000 ${bytes} | { read -r line; ${blink}; echo blinked; cat; }`,
    ]);
    const ended = await run.ended;
    expectOk(ended);
    expect(linesOf(ended, "client")).toEqual(["blinked", `sent ${bytes}`]);
    expect(figureIn(ended, /received (\d+) right/)).toBe(bytes);
    expect(dumped(join(folder, "dump.traffic"), 7000)).toMatchObject({ bytes, complete: true });
  });
  return {
    lost: "nothing: TCP repeats what was lost meanwhile",
    afterwards: "connections go on; the dump is complete; exit code 0",
  };
});

fault("interfaceDeleted", async (context) => {
  const { plg, folder } = context;
  const bytes = 30_000_000;
  await rounds(context, async (round) => {
    const go = `go${round}`;
    const run = plg.start([
      "record",
      "--wait-listen=10s",
      `server=exec ${flow} serve 7000`,
      `client=until test -e ${go}; do sleep 0.05; done; exec ${flow} send 10.0.0.1 7000 ${bytes}`,
      `other=ip link delete tun0; echo deleted; until test -e ${go}; do sleep 0.05; done`,
    ]);
    await run.prints(/deleted/);
    const before = cpuMilliseconds(run.pid);
    await sleep(1000);
    expect(cpuMilliseconds(run.pid) - before).toBeLessThan(500);
    expectOk(await plg.run(["record", "-fother.dump", `touch ${go}`]));
    const ended = await run.ended;
    expectOk(ended);
    expect(dumped(join(folder, "dump.traffic"), 7000)).toMatchObject({ bytes, complete: true });
  });
  return {
    lost: "nothing of the others",
    afterwards: "the command is alone, the others go on; the dump is complete; exit code 0",
  };
});
