/** Remembers which recordings of a suite failed, for `--only-failed`. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The names, or undefined if no run of this suite is known. */
export function lastFailures(root: string): ReadonlySet<string> | undefined {
  try {
    return new Set(JSON.parse(readFileSync(pathFor(root), "utf8")) as string[]);
  } catch {
    return undefined;
  }
}

/** Without a writable home there is no memory; the run itself does not suffer. */
export function rememberFailures(root: string, names: readonly string[]): void {
  try {
    const path = pathFor(root);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, JSON.stringify(names), { mode: 0o600 });
  } catch {
    // See above.
  }
}

function pathFor(root: string): string {
  const home = process.env["XDG_STATE_HOME"] || join(homedir(), ".local/state");
  const key = createHash("sha256").update(realpathSync(root)).digest("hex").slice(0, 16);
  return join(home, "plg", "suites", `${key}.json`);
}
