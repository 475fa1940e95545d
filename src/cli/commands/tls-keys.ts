/** `record --tls-keys`: programs write their TLS keys to a file beside the dump. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../base/errors.ts";

/** The keys are secrets: for their owner only. */
const mode = 0o600;

/** Where the keys of a recording are. */
export function keysPathOf(dump: string): string {
  return `${dump}.keys`;
}

/**
 * Makes an empty file for the keys, and returns the environment in which programs write them there:
 * `SSLKEYLOGFILE` for curl, Python, OpenSSL 3.5 and others, an option for Node. Keys of an earlier recording
 * go where that goes. `user` is who the commands run as, if not the caller.
 */
export function collectTlsKeys(dump: string, user: string | undefined): NodeJS.ProcessEnv {
  const path = resolve(keysPathOf(dump));
  try {
    if (existsSync(path)) renameSync(path, resolve(keysPathOf(`${dump}.previous`)));
    writeFileSync(path, "", { mode });
    chmodSync(path, mode);
    if (user !== undefined) chownSync(path, userIdOf(user), statSync(path).gid);
  } catch (error) {
    throw new UsageError(`cannot write --tls-keys to ${path}: ${(error as Error).message}`);
  }
  const given = process.env["NODE_OPTIONS"] ?? "";
  // As node(1) has it: in quotes, with backslashes before quotes and backslashes.
  const option = `--tls-keylog="${path.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return { SSLKEYLOGFILE: path, NODE_OPTIONS: `${given} ${option}`.trim() };
}

function userIdOf(user: string): number {
  const { stdout } = spawnSync("id", ["-u", "--", user], { encoding: "utf8" });
  return Number(stdout.trim() || user);
}
