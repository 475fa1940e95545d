/** Where something stands in a configuration file. */
import { UsageError } from "../base/errors.ts";

/** Line and column, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A key's path from the top of the file. */
export type Path = readonly (string | number)[];

/** An error at a place, as compilers write it: `plg.yaml:3:5: text`. */
export function errorAt(path: string, { line, column }: Place, text: string): UsageError {
  return new UsageError(`${path}:${line}:${column}: ${text}`);
}
