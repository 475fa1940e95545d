/**
 * How soon a thread gets its turn. The kernel's scheduler (EEVDF, kernel/sched/fair.c) lets who wants the
 * processor only for a short while go first, over time at nobody's cost: since Linux 6.12 a thread may say so
 * by the `sched_runtime` of sched_setattr(2), without any privilege.
 */
import { schedAttr, SYS_sched_getattr, SYS_sched_setattr } from "./abi.ts";
import { allocateRegion } from "./memory.ts";
import { syscall } from "./libc.ts";

/** 0.1 ms, the least that the kernel takes (__setparam_fair in kernel/sched/syscalls.c). */
const runtimeNs = 100_000;

/**
 * For a thread that others wait for, and that works a little at a time: the kernel is asked to give it short
 * turns, and to give them soon. Where the kernel is older or says no, all is as it was.
 */
export function requestShortTurns(): void {
  const { address, view } = allocateRegion(schedAttr.sizeBytes);
  // Asked first, for the rest (its nice value, say) is to stay as it is.
  if (syscall(SYS_sched_getattr, 0, address, schedAttr.sizeBytes, 0) !== 0) return;
  view.setUint32(schedAttr.runtimeAt, runtimeNs, true);
  syscall(SYS_sched_setattr, 0, address, 0, 0);
}
