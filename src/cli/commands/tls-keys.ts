/** `record --tls-keys`: makes programs write their TLS keys to a file next to the dump. */
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { keysPathOf } from "../../report/tls-keys.ts";

/** Keys are secrets, so only their owner may read them. */
const mode = 0o600;

/**
 * Creates an empty file for the keys, and returns the environment that makes programs write to it:
 * `SSLKEYLOGFILE` for curl, Python, OpenSSL 3.5 and others, an option for Node. The keys of an
 * earlier recording are renamed along with it. `user` is the commands' user, if not the caller.
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
  // Quoted as node(1) requires, with a backslash before quotes and backslashes.
  const option = `--tls-keylog="${path.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
  return { SSLKEYLOGFILE: path, NODE_OPTIONS: `${given} ${option}`.trim() };
}

function userIdOf(user: string): number {
  const { stdout } = spawnSync("id", ["-u", "--", user], { encoding: "utf8" });
  return Number(stdout.trim() || user);
}
