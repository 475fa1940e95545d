/**
 * Recognizes dumps whose commands this user recorded.
 *
 * Anyone may have made a dump, and nothing in it or about it proves its origin: not its owner (a
 * download belongs to the user who downloaded it), not the host that it names. So a recording
 * carries a seal over its commands, an HMAC-SHA-256. Each user has a private file with the key, and
 * only the key's holder can make the seal.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import type { Recording } from "../recording/load/read-recording.ts";
import { isInUserNamespace } from "./user-namespace.ts";

/** The sealed content: each container's name and command. */
type Commands = readonly { readonly name: string; readonly command: string }[];

const keyBytes = 32;

/** Returns the seal for these commands; undefined if there is nowhere to keep a key. */
export function sealOf(commands: Commands): string | undefined {
  const key = readKey() ?? createKey();
  return key && hmac(key, commands).toString("hex");
}

/** Whether this user made `seal` for these commands. */
function isOwnSeal(seal: unknown, commands: Commands): boolean {
  const key = readKey();
  if (key === undefined || typeof seal !== "string") return false;
  const [given, due] = [Buffer.from(seal, "hex"), hmac(key, commands)];
  return given.length === due.length && timingSafeEqual(given, due);
}

/** Whether this user made the recording, so that its commands can be trusted. */
export function isOwnRecording({ index }: Recording): boolean {
  const { notes, containers } = index.run;
  return isOwnSeal(notes["seal"], containers);
}

function hmac(key: Uint8Array, commands: Commands): Buffer {
  const text = JSON.stringify(commands.map(({ name, command }) => [name, command]));
  return createHmac("sha256", key).update(text).digest();
}

/** The XDG state directory of plg. With sudo, HOME may be another user's. */
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

/**
 * Creates the key atomically if there is none. Another plg may create one at the same time; the
 * first one wins.
 */
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
    // There is no writable home, or the other plg was first.
  }
  return readKey();
}
