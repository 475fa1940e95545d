/** Finds what the measurements need on this machine. */
import { accessSync, constants, readdirSync, readFileSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Measurement, Need } from "./measurement.ts";

/** Debian's folder of PostgreSQL programs, by version; those in the path are Perl wrappers. */
const postgresRoot = "/usr/lib/postgresql";
const administration = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** The full path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const folders = [...postgresFolders(), ...path, ...administration];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The requirements of a measurement that this machine lacks. */
export function missingFor({ needs }: Measurement): string[] {
  return needs.filter((need) => !isHere(need)).map(nameOf);
}

function isHere(need: Need): boolean {
  if ("program" in need) return findProgram(need.program) !== undefined;
  return readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .some((line) => line.startsWith(`${need.user}:`));
}

function nameOf(need: Need): string {
  return "program" in need ? need.program : `user ${need.user}`;
}

function postgresFolders(): string[] {
  try {
    const versions = readdirSync(postgresRoot).toSorted((a, b) => Number(b) - Number(a));
    return versions.map((version) => join(postgresRoot, version, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
