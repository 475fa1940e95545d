/**
 * Records `sleep`s until it is killed: in this thread or, with the argument `thread`, in another.
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";

const [, , library, file, mode] = isMainThread ? process.argv : workerData;
if (isMainThread && mode === "thread") {
  const worker = new Worker(new URL(import.meta.url), { workerData: process.argv });
  process.once("SIGUSR2", () => void worker.terminate().then(() => console.log("terminated")));
  setInterval(() => {}, 1000);
} else {
  const { record } = await import(library);
  // Processes that a command leaves behind belong to the run as well.
  const container = "setsid sleep 1000 & exec sleep 1000";
  const run = await record({ file, containers: { one: container, two: container } });
  await run.listen(9000);
  run.connect("test", 9000).on("error", () => {});
  console.log("recording");
}
