/**
 * What this machine must have for a test. Where CI=true a lack fails the test, because there everything
 * must run; elsewhere the test is skipped, with the reason, which the closing lines repeat.
 */
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach } from "vitest";

/** Servers are in /usr/sbin, which is not on every user's PATH, PostgreSQL's in a folder of its own, as are games. */
export const programPath: string = [
  process.env["PATH"] ?? "",
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/games",
  ...postgresFolders(),
].join(":");

/** The tests of this file or group need these programs, and what plg itself needs. */
export function needs(...programs: readonly string[]): void {
  const missing = programs.filter((program) => !hasProgram(program));
  const lacks = missing.map((program) => `the program ${program} is missing`);
  if (process.geteuid?.() !== 0) lacks.push("root is needed");
  if (!existsSync("/dev/net/tun")) lacks.push("/dev/net/tun is missing");
  const reason = lacks.join("; ");
  beforeEach(({ skip }) => {
    if (reason === "") return;
    if (process.env["CI"] === "true") throw new Error(`on CI all tests must run, but ${reason}`);
    skip(reason);
  });
}

function hasProgram(name: string): boolean {
  return programPath.split(":").some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function postgresFolders(): string[] {
  const base = "/usr/lib/postgresql";
  return existsSync(base) ? readdirSync(base).map((version) => join(base, version, "bin")) : [];
}
