// Threads that are ready to run and may not: a process that computes has its turn soon, one that
// sleeps wants none.
import { type ChildProcess, spawn } from "node:child_process";
import { expect, test } from "vitest";
import { closeNamespace, currentNamespace, inNewNamespaces } from "../../src/sys/namespace.ts";
import { StarvingThreads } from "../../src/sys/threads.ts";
import { needs } from "../programs/machine.ts";
import { eventually } from "../programs/waiting.ts";

needs();

/** A shell script that runs in a network of its own, and a watch over that network. */
async function watching(
  script: string,
  body: (threads: StarvingThreads, child: ChildProcess) => Promise<void>,
): Promise<void> {
  const { child, network } = inNewNamespaces(["net"], () => ({
    child: spawn("/bin/sh", ["-c", script], { stdio: "ignore" }),
    network: currentNamespace("net"),
  }));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  try {
    await body(new StarvingThreads("/proc", network), child);
  } finally {
    child.kill("SIGKILL");
    await ended;
    closeNamespace(network);
  }
}

test("one that computes is starving until it has run", async () => {
  await watching("while :; do :; done", async (threads, child) => {
    await eventually("the shell computes", () => threads.hasOne());
    await eventually("it has run", () => !threads.hasOne());
    child.kill("SIGSTOP");
    expect(threads.hasOne()).toBe(false);
  });
});

test("one that waits is not starving", async () => {
  await watching("exec sleep 60", async (threads) => {
    await eventually("it sleeps", () => !threads.hasOne());
    expect(threads.hasOne()).toBe(false);
  });
});
