/** Whatever happens to the process or the thread that records, nothing of the run is left. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { needsRoot } from "../programs/machine.ts";
import { childrenOf, processesMarked } from "../programs/processes.ts";
import { eventually } from "../programs/waiting.ts";
import { library, newFolder } from "./library.ts";

const actor = fileURLToPath(new URL("actors/recorder.mjs", import.meta.url));
const path = fileURLToPath(new URL("../../dist/index.js", import.meta.url));

needsRoot();

/**
 * Starts a recorder and waits until it records. `marker` is in the environment of all processes.
 */
async function startRecorder(
  ...mode: readonly string[]
): Promise<{ readonly child: ChildProcess; readonly marker: string }> {
  const marker = `PLG_TEST=${randomUUID()}`;
  const [name = "", value] = marker.split("=");
  const child = spawn(process.execPath, [actor, path, join(newFolder(), "dump"), ...mode], {
    env: { ...process.env, [name]: value },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await line(child, "recording");
  await eventually("all commands run", () => processesMarked(marker).length >= 5);
  return { child, marker };
}

async function line(child: ChildProcess, wanted: string): Promise<void> {
  for (;;) {
    const [text] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    if (text.toString().includes(wanted)) return;
  }
}

test("kill -9 of a process in mid-run leaves no process", async () => {
  const { child, marker } = await startRecorder();
  child.kill("SIGKILL");
  await eventually("they are gone", () => processesMarked(marker).length === 0);
});

test("the end of a worker thread in mid-run leaves no process but the recorder", async () => {
  const { child, marker } = await startRecorder("thread");
  child.kill("SIGUSR2");
  await line(child, "terminated");
  const isAlone = (): boolean =>
    processesMarked(marker).every((process) => process.startsWith(`${child.pid} `));
  await eventually("only the recorder is left", isAlone, {
    explain: () => processesMarked(marker).join("\n"),
  });
  child.kill("SIGKILL");
});

test("a calling process that cannot take part leaves nothing", async () => {
  const before = new Set(childrenOf(process.pid));
  const file = join(newFolder(), "dump");
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no fetch here")));
  try {
    const recording = library.record({ file, containers: { one: "sleep 1000" } });
    await expect(recording).rejects.toThrow("no fetch here");
  } finally {
    vi.unstubAllGlobals();
  }
  // The undertaker outlives a run for a moment.
  const isLeft = (pid: number): boolean => !before.has(pid);
  await eventually("no child is left", () => !childrenOf(process.pid).some(isLeft));
  expect(existsSync(file)).toBe(false);
});
