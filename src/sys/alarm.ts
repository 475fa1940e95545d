/**
 * A timerfd(2): a descriptor that becomes readable at a given moment, to the microsecond, where the timeout of
 * epoll_wait(2) counts whole milliseconds. It is reset by reading it, as a wake-up is.
 */
import type { Fd } from "../base/units.ts";
import { CLOCK_MONOTONIC, TFD_CLOEXEC, TFD_NONBLOCK } from "./abi.ts";
import { check } from "./errno.ts";
import { timerfdCreate, timerfdSettime } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** `struct itimerspec`: the interval, which stays 0, then when to go off; seconds and nanoseconds, 64 bits each. */
const setting = allocateRegion(32);
const secondsAt = 16;
const nanosecondsAt = 24;

export function createAlarm(): Fd {
  const flags = TFD_CLOEXEC | TFD_NONBLOCK;
  return check(timerfdCreate(CLOCK_MONOTONIC, flags), "timerfd_create", "an alarm") as Fd;
}

/** Sets the alarm to go off once, `afterMs` (more than 0) from now, instead of what it was set to. */
export function setAlarm(alarm: Fd, afterMs: number): void {
  const seconds = Math.floor(afterMs / 1000);
  // A setting of 0 would turn it off.
  const nanoseconds = Math.max(1, Math.floor((afterMs - 1000 * seconds) * 1e6));
  setting.view.setInt32(secondsAt, seconds, true);
  setting.view.setInt32(nanosecondsAt, nanoseconds, true);
  check(timerfdSettime(alarm, 0, setting.address, 0), "timerfd_settime", "an alarm");
}
