// A bug in one of plg's threads, as far as a test can make one: see preload/fail-thread.mjs.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { needsRoot } from "../programs/machine.ts";
import { dumped } from "./dumped.ts";
import { fault, type FaultContext, rounds } from "./fault.ts";
import { recordFlow } from "./flow.ts";

const preload = fileURLToPath(new URL("preload/fail-thread.mjs", import.meta.url));

needsRoot();

/** The bug is told, and not what it did to the commands. */
async function failThread(
  context: FaultContext,
  thread: "engine" | "completer" | "writer",
): Promise<void> {
  const { plg, folder } = context;
  const FAIL_WHEN = join(folder, "fail");
  await rounds(context, async () => {
    const env = { NODE_OPTIONS: `--import=${preload}`, FAIL_THREAD: thread, FAIL_WHEN };
    const run = plg.start(recordFlow("endless"), { env });
    await run.prints(/flowing/);
    writeFileSync(FAIL_WHEN, "");
    const { exitCode, stderr } = await run.ended;
    rmSync(FAIL_WHEN);
    expect(exitCode).toBe(70);
    expect(stderr).toMatch(/^plg: a bug in plg, [^\n]*\nError: injected into the \w+ thread\n/m);
    expect(stderr).not.toMatch(/was ended|failed with|was killed/);
    expect(dumped(join(folder, "dump.traffic"), 7000).complete).toBe(false);
  });
}

fault("engineBug", async (context) => {
  await failThread(context, "engine");
  return {
    lost: "what was not yet handed to the writer (200 ms at most)",
    afterwards: "the run is ended; the bug is the message; exit code 70; the dump is good",
  };
});

fault("completerBug", async (context) => {
  await failThread(context, "completer");
  return {
    lost: "what the completer had not handed on",
    afterwards: "the run is ended; the bug is the message; exit code 70; the dump is good",
  };
});

fault("writerBug", async (context) => {
  await failThread(context, "writer");
  return {
    lost: "what the writer had not written",
    afterwards: "the run is ended; the bug is the message; exit code 70; the dump is good",
  };
});
