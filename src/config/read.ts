/** Finds and reads the configuration file: the only part of this room that touches files. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { UsageError } from "../base/errors.ts";
import { parseSystem, type System } from "./system.ts";

/** The file that record and replay look for where plg is called. */
export const configName = "plg.yaml";

/** Reads `path`. Throws a {@link UsageError} if it cannot be read or is wrong. */
export function readSystem(path: string): System {
  return parseSystem(path, readText(path), relative(".", dirname(path)) || ".");
}

/** Reads `plg.yaml` in the working directory; undefined if there is none. */
export function findSystem(): System | undefined {
  return existsSync(configName) ? readSystem(configName) : undefined;
}

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
