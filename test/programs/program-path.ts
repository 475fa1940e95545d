import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Servers are in /usr/sbin, which is not on every user's PATH, PostgreSQL's in a folder of its own,
 * as are games.
 */
export const programPath: string = [
  process.env["PATH"] ?? "",
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/usr/games",
  ...postgresFolders(),
].join(":");

/** Where a program is, or undefined. */
export function placeOf(program: string): string | undefined {
  const places = programPath.split(":").map((folder) => join(folder, program));
  return places.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function postgresFolders(): string[] {
  const base = "/usr/lib/postgresql";
  return existsSync(base) ? readdirSync(base).map((version) => join(base, version, "bin")) : [];
}
