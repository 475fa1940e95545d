// A run that cannot be prepared leaves nothing behind, whichever step fails.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { needsRoot } from "./machine.ts";

const actor = fileURLToPath(new URL("actors/prepare-failing.mjs", import.meta.url));
const built = fileURLToPath(new URL("../../dist", import.meta.url));

needsRoot();

test("each step of preparing a recording and a replay fails once, and nothing is left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "plg-test-"));
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [actor, folder, built]);
    const lines = stdout.trim().split("\n");
    const { failures } = JSON.parse(lines.pop() ?? "{}") as { failures: number };
    expect(lines).toEqual([]);
    expect(failures).toBeGreaterThan(40);
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 300_000);
