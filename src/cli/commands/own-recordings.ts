/**
 * Whether this user recorded a dump's commands. A dump is a file that anybody may have made, and nothing that
 * it says of itself proves anything: not its owner (a download belongs to whoever downloaded it), not the
 * host that it names. So a recording carries a seal over its commands (HMAC-SHA-256), with a key that each
 * user has in a file of their own. Whoever does not have the key cannot make the seal.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { isInUserNamespace } from "../launch/rootless.ts";

/** What is sealed: who ran what. */
type Commands = readonly { readonly name: string; readonly command: string }[];

const keyBytes = 32;

/** The seal of a recording of these commands; undefined if there is nowhere to keep a key. */
export function sealOf(commands: Commands): string | undefined {
  const key = readKey() ?? createKey();
  return key && hmac(key, commands).toString("hex");
}

/** Whether `seal` was made by this user for these commands. */
export function isOwnSeal(seal: unknown, commands: Commands): boolean {
  const key = readKey();
  if (key === undefined || typeof seal !== "string") return false;
  const [given, due] = [Buffer.from(seal, "hex"), hmac(key, commands)];
  return given.length === due.length && timingSafeEqual(given, due);
}

function hmac(key: Uint8Array, commands: Commands): Buffer {
  const text = JSON.stringify(commands.map(({ name, command }) => [name, command]));
  return createHmac("sha256", key).update(text).digest();
}

/** The XDG base directory specification's place for what programs keep. With sudo, HOME may be another user's. */
function folder(): string {
  const isRoot = process.geteuid?.() === 0 && !isInUserNamespace();
  const home = isRoot ? userInfo().homedir : homedir();
  return join(process.env["XDG_STATE_HOME"] || join(home, ".local/state"), "plg");
}

function readKey(): Uint8Array | undefined {
  try {
    const key = readFileSync(join(folder(), "key"));
    return key.length === keyBytes ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Whole or not at all, and only if there is none: another plg may make one at the same time, and the first counts. */
function createKey(): Uint8Array | undefined {
  try {
    const path = join(folder(), "key");
    const draft = `${path}.${process.pid}`;
    mkdirSync(folder(), { recursive: true, mode: 0o700 });
    writeFileSync(draft, randomBytes(keyBytes), { mode: 0o600, flag: "wx" });
    try {
      linkSync(draft, path);
    } finally {
      rmSync(draft);
    }
  } catch {
    // No home, or none that can be written to, or the other plg was first.
  }
  return readKey();
}
