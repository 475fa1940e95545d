/** Reads the configuration file. */
import { readFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { UsageError } from "../base/errors.ts";
import { parseSystem, type System } from "./system.ts";

/** Reads `path`. Throws a {@link UsageError} if it cannot be read or is wrong. */
export function readSystem(path: string): System {
  return parseSystem(path, readText(path), relative(".", dirname(path)) || ".");
}

export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
