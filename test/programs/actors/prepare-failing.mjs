/**
 * Prepares a recording and a replay again and again, and lets another step fail each time: a system
 * call, a file operation, the start of a thread or a process. A step is a call, by its place in the
 * code. After each attempt nothing may be left: descriptors, threads, processes, files, listeners.
 *
 * Arguments: an empty folder, and plg's compiled code. Prints a line of JSON for each finding, and
 * at the end how many steps failed.
 */
import child_process from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import worker_threads from "node:worker_threads";
import koffi from "koffi";

const [folder, built] = process.argv.slice(2);
process.env.TMPDIR = folder;
const EMFILE = 24;
const settledWithinMs = 60_000;

/** The steps that have failed, in all attempts. */
const failedSteps = new Set();
let failures = 0;
/** The step that fails in this attempt, once it has. */
let failing;
let isArmed = false;

/** Whether the caller's step should fail now: the first new one of an attempt. */
function fails(name) {
  if (!isArmed || failing !== undefined) return false;
  const frames = new Error().stack.split("\n").filter((line) => line.includes("/dist/"));
  // A thread that cannot return to its own namespace has no way to free anything.
  if (frames.some((line) => line.includes("goBack"))) return false;
  const places = frames.map((line) => /\/dist\/(\S+:\d+):\d+/.exec(line)?.[1] ?? "");
  const caller = (places.find((place) => !/^(sys|base)\//.test(place)) ?? "")
    // Its steps are alike: whichever fails, there is no shortcut.
    .replace(/shortcut.js.*/, "");
  const step = `${name} < ${places[0]}`;
  // Every call by a room fails once, at its first step, and every step of sys/ once.
  if (failedSteps.has(step) && failedSteps.has(caller)) return false;
  failedSteps.add(step).add(caller);
  failing = `${step} < ${caller}`;
  failures++;
  return true;
}

function injected() {
  return Object.assign(new Error("injected"), { code: "EMFILE", errno: -EMFILE });
}

/** These undo things or ask for nothing. */
const mayNotFail = new Set(["close", "getrlimit", "setrlimit", "epoll_wait"]);

const load = koffi.load;
koffi.load = (path) => {
  const library = load(path);
  return {
    func(name, result, types) {
      const call = library.func(name, result, types);
      if (mayNotFail.has(name)) return call;
      return (...args) => {
        if (!fails(name)) return call(...args);
        koffi.errno(EMFILE);
        return -1;
      };
    },
  };
};

for (const name of ["openSync", "mkdtempSync", "writeFileSync", "writeSync", "renameSync"])
  replace(fs, name);
for (const name of ["realpathSync", "readFileSync", "readlinkSync", "fchmodSync"])
  replace(fs, name);
replace(child_process, "spawn");

function replace(object, name) {
  const original = object[name];
  object[name] = Object.assign((...args) => {
    if (fails(name)) throw injected();
    return original(...args);
  }, original);
}

const { Worker } = worker_threads;
worker_threads.Worker = class extends Worker {
  constructor(url, options) {
    if (fails("new Worker")) throw injected();
    const dies = fails("a thread's start");
    super(dies ? new URL("data:text/javascript,throw new Error('injected')") : url, options);
  }
};
syncBuiltinESMExports();

const module = (path) => import(pathToFileURL(`${built}/${path}`).href);
const { RecordSession } = await module("record/session.js");
const { ReplaySession } = await module("replay/session.js");
const { readRecording } = await module("recording/load/read-recording.js");
const { planTopology } = await module("sandbox/network/topology.js");
const { Subnet } = await module("net/subnet.js");

const topology = planTopology([Subnet.parse("10.0.0.0/24")], [{ command: "true" }]);
const common = {
  topology,
  identity: { noNewPrivs: false },
  until: "all",
  stopSignal: "SIGTERM",
  graceMs: 1000,
  output: { write: () => {}, end: () => {} },
};
const hooks = { onWarning: () => {}, onCommandEnd: () => {} };
const recordingAt = (file) => ({
  ...common,
  file,
  force: false,
  waitListenMs: 0,
  toolVersion: "0",
  randomSeed: 1,
});

/** What this process has: after an attempt it must be what it was before. */
function possessions() {
  const links = fs.readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, "")];
    } catch {
      return []; // The descriptor of the listing itself.
    }
  });
  const tasks = fs.readdirSync("/proc/self/task");
  const children = tasks.flatMap((task) =>
    fs.readFileSync(`/proc/self/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean),
  );
  return {
    descriptors: links.toSorted(),
    threads: tasks.length,
    children: children.length,
    namespaces: ["net", "mnt"].map((kind) => fs.readlinkSync(`/proc/thread-self/ns/${kind}`)),
    files: fs.readdirSync(folder).toSorted(),
    listeners: process.listenerCount("SIGXFSZ"),
  };
}

/** Prepares once. Returns what was left, or undefined. */
async function attempt(prepare) {
  const before = possessions();
  failing = undefined;
  isArmed = true;
  let outcome;
  try {
    const session = await prepare();
    isArmed = false;
    await session.abandon().catch((error) => (outcome = `abandon: ${error.message}`));
    outcome ??= "prepared";
  } catch (error) {
    outcome = error.message;
  }
  isArmed = false;
  const wanted = JSON.stringify(before);
  const untilMs = performance.now() + 20_000;
  while (JSON.stringify(possessions()) !== wanted && performance.now() < untilMs) await sleep(5);
  const after = possessions();
  return JSON.stringify(after) === wanted ? undefined : { outcome, before, after };
}

async function attempts(what, prepare) {
  const session = await prepare();
  await session.abandon();
  while (possessions().children > 0) await sleep(5);
  for (;;) {
    const timeout = sleep(settledWithinMs, { outcome: "hangs" }, { ref: false });
    const left = await Promise.race([attempt(prepare), timeout]);
    if (left) console.log(JSON.stringify({ what, step: failing, ...left }));
    if (left?.outcome === "hangs") process.exit(1);
    if (failing === undefined) return;
  }
}

const first = `${folder}/first.traffic`;
const session = await RecordSession.prepare(recordingAt(first), hooks);
await session.run(hooks);
await attempts("record", () => RecordSession.prepare(recordingAt(`${folder}/new.traffic`), hooks));
await attempts("record again", () => RecordSession.prepare(recordingAt(first), hooks));
const recording = await readRecording(first);
await attempts("replay", () =>
  ReplaySession.prepare(
    {
      ...common,
      recording,
      live: topology.containers,
      schedule: { order: "process", release: { type: "causal" }, patienceMs: 100 },
      masks: [],
      compare: true,
      mostDifferences: 10,
      links: undefined,
      hasRecordedClock: true,
    },
    hooks,
  ),
);
console.log(JSON.stringify({ failures }));
process.exit(0);
