// Many containers, much output, much traffic: time and memory stay within bounds.
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, type Running, test } from "./plg.ts";
import { childrenOf, statusKilobytes } from "./processes.ts";
import { eventually } from "./waiting.ts";

const mostMegabytes = 200;

/** The most memory that plg had during the run, in MB. */
async function peakMegabytes(run: Running): Promise<number> {
  let peak = 0;
  while (run.isRunning()) {
    peak = Math.max(peak, statusKilobytes(run.pid, "VmHWM") / 1000);
    await sleep(20);
  }
  return peak;
}

describe("100 containers", () => {
  needs();

  test("all start, in bounded memory", async ({ plg }) => {
    const commands = Array.from({ length: 100 }, (_, i) => `c${i}=echo up; exec sleep 1000`);
    const run = plg.start(["record", ...commands]);
    const ups = (): number => run.stdout.split("| up").length - 1;
    await eventually("all commands have started", () => ups() === 100, { timeoutMs: 30_000 });
    const peak = statusKilobytes(run.pid, "VmHWM") / 1000;
    run.kill("SIGTERM");
    expect((await run.ended).exitCode).toBe(143);
    expect(peak).toBeLessThan(mostMegabytes);
  });
});

describe("a command that floods its output", () => {
  needs();

  test("is passed on whole, in bounded memory", async ({ plg }) => {
    const run = plg.start(["record", "--raw", "flood=yes | head -c 50000000"], {
      stdout: "ignore",
    });
    const peak = await peakMegabytes(run);
    const ended = await run.ended;
    expectOk(ended);
    console.log(`50 MB of output took ${ended.durationMs.toFixed(0)} ms and ${peak.toFixed(0)} MB`);
    expect(peak).toBeLessThan(mostMegabytes);
  });

  test("is passed on line by line, in bounded memory", async ({ plg }) => {
    const flood = `flood=yes ${"x".repeat(99)} | head -c 50000000`;
    const run = plg.start(["record", flood], { stdout: "ignore" });
    const peak = await peakMegabytes(run);
    const ended = await run.ended;
    expectOk(ended);
    console.log(
      `500 thousand lines took ${ended.durationMs.toFixed(0)} ms and ${peak.toFixed(0)} MB`,
    );
    expect(peak).toBeLessThan(mostMegabytes);
  });

  test("without a newline too", async ({ plg }) => {
    const run = plg.start(["record", "flood=head -c 50000000 /dev/zero"], { stdout: "ignore" });
    const peak = await peakMegabytes(run);
    expectOk(await run.ended);
    expect(peak).toBeLessThan(mostMegabytes);
  });

  test("waits where nobody reads, in bounded memory", async ({ plg, folder }) => {
    // The reader takes the first line and then sleeps until the flood is far more than any pipe
    // holds.
    const script = `cd '${folder}'; "$@" | { read -r line; echo "$line"; while [ ! -e enough ]; do sleep 0.05; done; wc -c; }`;
    const run = plg.start(["record", "--raw", "flood=yes | head -c 50000000"], {
      through: ["/bin/sh", "-c", script, "sh"],
    });
    await run.prints(/y/);
    // Time enough for a plg without back-pressure to swallow it all: above, it took that long to
    // pass it on.
    await sleep(1000);
    const peaks = childrenOf(run.pid).map((pid) => statusKilobytes(pid, "VmHWM") / 1000);
    expect(Math.max(...peaks)).toBeGreaterThan(30);
    expect(Math.max(...peaks)).toBeLessThan(mostMegabytes);
    await plg.run(["record", "-q", "-f", "other", "touch enough"]);
    const ended = await run.ended;
    expect(ended.stdout).toBe(`y\n${50_000_000 - 2}\n`);
  });
});

describe("much traffic", () => {
  needs("iperf3");

  test("plg's memory stays bounded while iperf3 runs", async ({ plg }) => {
    const run = plg.start([
      "record",
      "--wait-listen=10s",
      "--until=client",
      "-f/dev/null",
      "server=exec iperf3 -s -1",
      "client=iperf3 -c 10.0.0.1 -t 4 -P 4 --json | grep -A6 sum_received | grep bits_per_second",
    ]);
    const peak = await peakMegabytes(run);
    const ended = await run.ended;
    expectOk(ended);
    const bits = Number(
      /bits_per_second":\s*([\d.e+]+)/.exec(linesOf(ended, "client")[0] ?? "")?.[1],
    );
    console.log(`iperf3: ${(bits / 1e9).toFixed(2)} Gb/s, plg had ${peak.toFixed(0)} MB`);
    expect(bits).toBeGreaterThan(1e8);
    expect(peak).toBeLessThan(mostMegabytes);
  });
});
