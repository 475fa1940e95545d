/** Finds the configuration file, without what it takes to read one: that is slow to load. */
import { existsSync } from "node:fs";

/** The file that record and replay look for where plg is called. */
export const configName = "plg.yaml";

/** The path of `plg.yaml` in the working directory; undefined if there is none. */
export function findConfig(): string | undefined {
  return existsSync(configName) ? configName : undefined;
}
