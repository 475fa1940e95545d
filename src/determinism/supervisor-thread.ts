/**
 * The supervisor's thread. Processes wait for its answers, so it does nothing else, and it sleeps
 * in the kernel rather than in Node's event loop. It also wakes up periodically, so that plg can
 * end it.
 */
import { readlinkSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { requestShortSlices } from "../sys/scheduling.ts";
import { NotificationListener } from "../sys/seccomp.ts";
import { architectureOf } from "./core/architecture.ts";
import { RandomDevice } from "./random-device.ts";
import { Supervisor } from "./supervisor.ts";
import type { SupervisorOrder, SupervisorTask } from "./supervisor-task.ts";

const lookMs = 200;

function supervise(task: SupervisorTask): void {
  const { listener, wakeup, device, containers, ...sources } = task;
  const architecture = architectureOf(process.arch);
  assert(architecture, "a filter was made for this processor");
  requestShortSlices();
  const notifications = new NotificationListener(listener, wakeup, device);
  const supervisor = new Supervisor(
    architecture,
    sources,
    (pid) => containers.get(networkOf(pid)),
    (gap) => parentPort?.postMessage(gap),
  );
  const files =
    device === undefined ? undefined : new RandomDevice(device, supervisor.proc, supervisor);
  for (;;) {
    const reviewMs = supervisor.review(notifications);
    const { isCalled, isWoken, isAsked } = notifications.wait(reviewMs ?? lookMs);
    if (isAsked) files?.serve();
    if (isCalled && notifications.receive()) supervisor.answer(notifications);
    if (isWoken) break;
  }
  supervisor.close();
}

function networkOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

assert(parentPort, "the supervisor runs in a thread of its own");
parentPort.once("message", (order: SupervisorOrder) => {
  if (order !== "end") supervise(order);
});
