/** Where a test file's recordings are, and when they are made. They work like snapshots. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../../base/errors.ts";

/**
 * When to record: `all` recordings again; those that are `new`; or `none`, in which case a missing
 * one is an error. The names are those of vitest's snapshots.
 */
export type Update = "all" | "new" | "none";

/** The choice where a test runner makes none: `PLG_UPDATE=1` records all, and CI records none. */
export function updateFromEnvironment(env: NodeJS.ProcessEnv = process.env): Update {
  if (isSet(env["PLG_UPDATE"])) return "all";
  return isSet(env["CI"]) ? "none" : "new";
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value);
}

const extension = ".traffic";

/** The recordings of one test file: a folder beside it. */
export class Recordings {
  readonly #folder: string;
  readonly #used = new Set<string>();

  constructor(testFile: string) {
    this.#folder = join(dirname(testFile), "__recordings__", basename(testFile));
  }

  /**
   * The path of a recording. Its name becomes a file name. Throws a {@link UsageError} if two tests
   * use one.
   */
  claim(name: string): string {
    const file = `${name.trim().replaceAll(/[^\w.-]+/g, "-")}${extension}`;
    if (this.#used.has(file)) throw new UsageError(`two tests use the recording '${name}'`);
    this.#used.add(file);
    return join(this.#folder, file);
  }

  /** Recordings that no test has used. */
  obsolete(): readonly string[] {
    if (!existsSync(this.#folder)) return [];
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith(extension) && !this.#used.has(file))
      .map((file) => join(this.#folder, file));
  }
}

/**
 * Whether the recording at `path` is to be made now. Throws a {@link UsageError} if it is missing.
 */
export function mustRecord(path: string, update: Update): boolean {
  const isThere = existsSync(path);
  if (update === "none" && !isThere)
    throw new UsageError(
      `there is no recording ${path}, and in CI none is made: run the test elsewhere and commit it`,
    );
  return update === "all" || !isThere;
}

/** Where a recording is made until its test has passed. */
export function draftOf(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return `${path}.new`;
}

/** Puts the recording in its place, or drops it. */
export function settleDraft(path: string, isWanted: boolean): void {
  const draft = `${path}.new`;
  if (isWanted) renameSync(draft, path);
  else rmSync(draft, { force: true });
}
