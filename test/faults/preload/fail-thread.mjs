/**
 * Makes a thread of plg fail as a bug would make it: with an exception from something it calls.
 * Loaded into plg by NODE_OPTIONS=--import, so that plg itself needs no place for it. FAIL_THREAD
 * is `engine`, `completer` or `writer`, FAIL_WHEN a file: from the moment it exists, the thread's
 * next call throws.
 */
import { existsSync } from "node:fs";
import { isMainThread, workerData } from "node:worker_threads";

/** The thread that we are in, by what it was started with. */
function threadName() {
  if (isMainThread) return "main";
  if (workerData?.pipeTun !== undefined) return "engine";
  return workerData?.file === undefined ? "completer" : "writer";
}

const thread = threadName();

function failing(object, name) {
  const original = object[name];
  object[name] = (...args) => {
    if (existsSync(process.env.FAIL_WHEN)) throw new Error(`injected into the ${thread} thread`);
    return Reflect.apply(original, object, args);
  };
}

// Called in every turn of the first, and for every block by the others.
if (thread === process.env.FAIL_THREAD)
  if (thread === "engine") failing(performance, "now");
  else failing(Atomics, "load");
