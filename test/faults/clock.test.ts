// The time of day is set while a recording goes on. The machine's own is left alone: libfaketime
// stands between plg and the C library's time of day, and takes what to say from a file.
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { readDump } from "../../src/dump/store/reader.ts";
import { summarize } from "../../src/report/summary.ts";
import { needsRoot } from "../programs/machine.ts";
import { actor, expectOk } from "../programs/plg.ts";
import { fault, rounds } from "./fault.ts";

const talk = actor("talk.mjs");
const clock = actor("clock.mjs");

needsRoot("faketime");

/** Debian has it in a folder that is named after the machine's architecture. */
function library(): string {
  const paths = readdirSync("/usr/lib").map((name) =>
    join("/usr/lib", name, "faketime/libfaketime.so.1"),
  );
  return paths.find((path) => existsSync(path)) ?? "";
}

fault("clockSteps", async (context) => {
  const { plg, folder } = context;
  const offset = join(folder, "offset");
  await rounds(context, async () => {
    writeFileSync(offset, "+0");
    const startedMs = performance.now();
    const run = plg.start(
      [
        "record",
        "--wait-listen=10s",
        "--until=client",
        `server=exec ${talk} listen=7000 count-end`,
        `client=timeout 3 ${clock} 10.0.0.1 7000; true`,
      ],
      {
        env: {
          LD_PRELOAD: library(),
          FAKETIME_TIMESTAMP_FILE: offset,
          FAKETIME_NO_CACHE: "1",
          FAKETIME_DONT_FAKE_MONOTONIC: "1",
        },
      },
    );
    await run.prints(/ticking/);
    await sleep(500);
    writeFileSync(offset, "-3600");
    await sleep(500);
    writeFileSync(offset, "+86400");
    expectOk(await run.ended);
    const lastedNs = (performance.now() - startedMs) * 1e6;
    const times = [...readDump(join(folder, "dump.traffic"))].flatMap((item) =>
      item.type === "stream" ? [item.atNs] : [],
    );
    expect(times.length).toBeGreaterThan(100);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(lastedNs);
    const { durationNs } = summarize(readDump(join(folder, "dump.traffic")));
    expect(durationNs).toBeGreaterThanOrEqual(times.at(-1) ?? Infinity);
    expect(durationNs).toBeLessThan(lastedNs);
  });
  return {
    lost: "nothing",
    afterwards: "the recording's times go on without a step; the dump is complete; exit code 0",
  };
});
