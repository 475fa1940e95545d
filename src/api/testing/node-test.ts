/**
 * `net-playground/node-test`: tests of node:test whose systems are recorded once and then played.
 *
 * Recordings are in `__recordings__/TEST-FILE/NAME.traffic`, beside the test file. The first run
 * makes them, `PLG_UPDATE=1` or `node --test --test-update-snapshots` makes them again, and with CI
 * set a missing one is an error.
 */
import { rmSync } from "node:fs";
import { after } from "node:test";
import { Recordings, type Update, updateFromEnvironment } from "./recordings.ts";
import { startTestRun, type TestRun, type TestRunOptions } from "./test-run.ts";

export { RecordingDiffers, type TestRun, type TestRunOptions } from "./test-run.ts";

/** What is used of the test's context. */
interface TestContext {
  after(hook: () => Promise<void>): void;
}

/**
 * Starts the system for a test. The run ends with the test, and a replay that differs fails it.
 *
 * @param context The context that node:test gives to the test.
 * @param name The recording's name, unique in the test file.
 * @example
 * test("lists the orders", async (t) => {
 *   const run = await testRun(t, "orders", { containers: { db: "…", app: "node app.mjs" }, live: ["app"] });
 *   const response = await run.fetch("http://app:8080/orders");
 * });
 */
export async function testRun(
  context: TestContext,
  name: string,
  options: TestRunOptions,
): Promise<TestRun> {
  const { run, end } = await startTestRun(recordings().claim(name), options, update());
  // node:test does not tell its hooks before version 22 whether the test has failed.
  context.after(() => end((context as { readonly passed?: boolean }).passed !== false));
  return run;
}

let ofThisFile: Recordings | undefined;

/** The recordings of the test file, which is what this process runs. */
function recordings(): Recordings {
  ofThisFile ??= new Recordings(process.argv[1] ?? "test");
  return ofThisFile;
}

function update(): Update {
  const isAsked = process.execArgv.includes("--test-update-snapshots");
  return isAsked ? "all" : updateFromEnvironment();
}

after(() => {
  const left = ofThisFile?.obsolete() ?? [];
  if (update() === "all") for (const path of left) rmSync(path);
  else if (left.length > 0)
    process.stderr.write(
      `plg: ${left.length} obsolete: no test uses ${left.join(", ")}; delete with PLG_UPDATE=1\n`,
    );
});
