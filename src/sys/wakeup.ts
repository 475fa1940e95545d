/**
 * An eventfd(2) with which one thread wakes another that sleeps in epoll. Any thread of the process
 * may signal it; several signals before the sleeper looks count as one.
 */
import { writeSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { EFD_CLOEXEC, EFD_NONBLOCK } from "./abi.ts";
import { check } from "./errno.ts";
import { close, eventfd, read } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

const counter = allocateRegion(8);
const one = new Uint8Array(new BigUint64Array([1n]).buffer);

export function createWakeup(): Fd {
  return check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd", "a wake-up") as Fd;
}

/** Wakes the thread that waits for `wakeup`. */
export function signal(wakeup: Fd): void {
  writeSync(wakeup, one);
}

/** Resets `wakeup`. */
export function acknowledge(wakeup: Fd): void {
  read(wakeup, counter.address, 8);
}

export function closeWakeup(wakeup: Fd): void {
  close(wakeup);
}
