/**
 * A timerfd(2): a descriptor that becomes readable at a given moment. It is precise to
 * microseconds, whereas the timeout of epoll_wait(2) counts milliseconds. Reading resets it, like a
 * wake-up.
 */
import type { Fd } from "../base/units.ts";
import { CLOCK_MONOTONIC, TFD_CLOEXEC, TFD_NONBLOCK } from "./abi.ts";
import { check } from "./errno.ts";
import { timerfdCreate, timerfdSettime } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/**
 * `struct itimerspec`: the interval (always 0), then the expiry; 64-bit seconds and nanoseconds.
 */
const setting = allocateRegion(32);
const secondsAt = 16;
const nanosecondsAt = 24;

export function createAlarm(): Fd {
  const flags = TFD_CLOEXEC | TFD_NONBLOCK;
  return check(timerfdCreate(CLOCK_MONOTONIC, flags), "timerfd_create", "an alarm") as Fd;
}

/**
 * Sets the alarm to expire once, `afterMs` (more than 0) from now, replacing any earlier setting.
 */
export function setAlarm(alarm: Fd, afterMs: number): void {
  const seconds = Math.floor(afterMs / 1000);
  // An expiry of 0 would disarm the timer.
  const nanoseconds = Math.max(1, Math.floor((afterMs - 1000 * seconds) * 1e6));
  setting.view.setInt32(secondsAt, seconds, true);
  setting.view.setInt32(nanosecondsAt, nanoseconds, true);
  check(timerfdSettime(alarm, 0, setting.address, 0), "timerfd_settime", "an alarm");
}
