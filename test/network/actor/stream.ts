/** Bytes that are all alike in every run, and what came of them. */
import type { Rest } from "./sockets.ts";
import type { Stage } from "./stage.ts";

/**
 * So many bytes, in a sequence whose period is no power of two: what is lost or comes twice shows
 * in the hash.
 */
export function pattern(lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = (i % 251) ^ (i >> 16);
  return bytes;
}

export function tell(stage: Stage, what: string, { bytes, hash, over }: Rest): void {
  stage.say(what, `${bytes} bytes with hash ${hash}, then ${over}`);
}
