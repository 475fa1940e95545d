/**
 * `net-playground/vitest`: tests of vitest whose systems are recorded once and then played.
 *
 * Recordings are in `__recordings__/TEST-FILE/NAME.traffic`, beside the test file. They follow
 * vitest's rules for snapshots: the first run makes them, `vitest -u` makes them again, and with CI
 * set a missing one is an error.
 */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { Recordings, type Update, updateFromEnvironment } from "./recordings.ts";
import {
  startTestRun,
  type StartedTestRun,
  type TestRun,
  type TestRunOptions,
} from "./test-run.ts";

export { RecordingDiffers, type TestRun, type TestRunOptions } from "./test-run.ts";

/** How long the hooks may take that start a system or wait for its end: databases start slowly. */
const startMs = 120_000;

/**
 * Starts the system for the current test. The run ends with the test: a recording is kept if the
 * test has passed, and a replay that differs fails the test.
 *
 * @param name The recording's name, unique in the test file.
 * @example
 * test("lists the orders", async () => {
 *   const run = await testRun("orders", { containers: { db: "…", app: "node app.mjs" }, live: ["app"] });
 *   expect(await (await run.fetch("http://app:8080/orders")).json()).toEqual([]);
 * });
 */
export async function testRun(name: string, options: TestRunOptions): Promise<TestRun> {
  const { run, end } = await startTestRun(recordings().claim(name), options, update());
  onTestFinished(({ task }) => end(task.result?.state !== "fail"), startMs);
  return run;
}

/** A run that all tests of a file or a `describe` share. */
export interface SuiteRun {
  /** The run. It exists while the tests run. */
  readonly run: TestRun;
}

/**
 * Starts the system once, for all tests of the file, or of the `describe` that calls it. A replay
 * that differs fails the suite after its last test.
 *
 * @example
 * const system = suiteRun("orders", { containers, live: ["app"] });
 * test("lists the orders", async () => {
 *   const response = await system.run.fetch("http://app:8080/orders");
 * });
 */
export function suiteRun(name: string, options: TestRunOptions): SuiteRun {
  let started: StartedTestRun | undefined;
  const path = recordings().claim(name);
  beforeAll(async () => {
    started = await startTestRun(path, options, update());
  }, startMs);
  // vitest reads the parameters' source, and wants the first one destructured.
  // oxlint-disable-next-line no-empty-pattern
  afterAll(async ({}, { tasks }) => {
    await started?.end(tasks.every((task) => task.result?.state !== "fail"));
  }, startMs);
  return {
    get run(): TestRun {
      if (started) return started.run;
      throw new Error("the run exists only while the tests run: use it within a test");
    },
  };
}

const ofFiles = new Map<string, Recordings>();

/** The recordings of the current test file. */
function recordings(): Recordings {
  const { testPath = "" } = expect.getState();
  const known = ofFiles.get(testPath);
  if (known) return known;
  const fresh = new Recordings(testPath);
  ofFiles.set(testPath, fresh);
  return fresh;
}

/** The part of vitest's worker state that holds `-u` and whether this is CI. */
interface WorkerState {
  readonly config?: { readonly snapshotOptions?: { readonly updateSnapshot?: Update } };
}

/** vitest decides when snapshots are made, and recordings follow. It has no public way to ask. */
function update(): Update {
  const state = (globalThis as { readonly __vitest_worker__?: WorkerState }).__vitest_worker__;
  const fromEnvironment = updateFromEnvironment();
  if (fromEnvironment === "all") return "all";
  return state?.config?.snapshotOptions?.updateSnapshot ?? fromEnvironment;
}

/**
 * After the last test of a file: recordings that no test used are reported, or with `-u` deleted.
 */
// oxlint-disable-next-line no-empty-pattern
afterAll(({}, { file }) => {
  const { tasks } = file;
  // Tests that were filtered out or skipped may use them.
  if (tasks.some(({ mode }) => mode === "skip" || mode === "todo")) return;
  const left = ofFiles.get(file.filepath)?.obsolete() ?? [];
  if (update() === "all") for (const path of left) rmSync(path);
  else if (left.length > 0)
    process.stderr.write(
      `plg: ${left.length} obsolete: no test uses ${left.join(", ")}; delete with vitest -u\n`,
    );
});
