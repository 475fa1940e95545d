/** File systems that this process serves: fuse(4). */
import { constants, openSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { MS_NODEV, MS_NOSUID } from "./abi.ts";
import { mount } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/**
 * Opens a connection to the kernel, which does not block; undefined where there is no FUSE, or not
 * for us.
 */
export function openFuse(): Fd | undefined {
  try {
    return openSync("/dev/fuse", constants.O_RDWR | constants.O_NONBLOCK) as Fd;
  } catch {
    return undefined;
  }
}

/**
 * Mounts a file system of one file over the file `target`. Anyone may open it. Returns -1 if that
 * fails. It does not wait for an answer, so the caller may be the one who serves it later.
 */
export function mountFuse(device: Fd, target: string, rootMode: number): number {
  const options = `fd=${device},rootmode=${rootMode.toString(8)},user_id=0,group_id=0,allow_other\0`;
  const text = allocateRegion(options.length);
  text.bytes.set(Buffer.from(options));
  return mount("plg", target, "fuse", MS_NOSUID | MS_NODEV, text.address);
}
