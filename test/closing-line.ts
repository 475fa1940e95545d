/**
 * Ends a test run with what was skipped and why, and one plain line of counts that every reader of
 * a log understands: "12 passed, 0 failed, 1 skipped".
 */
import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string): TestCase[] =>
      tests.filter((test) => test.result().state === state);
    const skipped = inState("skipped");
    for (const test of skipped) {
      const result = test.result();
      const reason = (result.state === "skipped" && result.note) || "no reason given";
      console.log(`skipped: ${test.fullName}: ${reason}`);
    }
    // A file that could not be loaded has no tests to fail, but it has failed.
    const broken = modules.filter((module) => module.errors().length > 0).length;
    const failed = inState("failed").length + broken + unhandled.length;
    const rest = skipped.length > 0 ? `, ${skipped.length} skipped` : "";
    console.log(`${inState("passed").length} passed, ${failed} failed${rest}`);
  }
}
