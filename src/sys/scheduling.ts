/**
 * Requests short time slices for a thread. The kernel's scheduler (EEVDF, kernel/sched/fair.c) runs
 * a thread that asks for short slices sooner, without giving it more time overall. Since Linux 6.12
 * a thread may ask by the `sched_runtime` of sched_setattr(2), without any privilege.
 */
import { schedAttr, SYS_sched_getattr, SYS_sched_setattr } from "./abi.ts";
import { allocateRegion } from "./memory.ts";
import { syscall } from "./libc.ts";

/**
 * 0.1 ms, the shortest slice that the kernel accepts (__setparam_fair in kernel/sched/syscalls.c).
 */
const runtimeNs = 100_000;

/**
 * For a thread that does little work at a time and that others wait for. Has no effect where the
 * kernel is older or refuses.
 */
export function requestShortSlices(): void {
  const { address, view } = allocateRegion(schedAttr.sizeBytes);
  // Read first, to keep the other attributes, such as the nice value.
  if (syscall(SYS_sched_getattr, 0, address, schedAttr.sizeBytes, 0) !== 0) return;
  view.setUint32(schedAttr.runtimeAt, runtimeNs, true);
  syscall(SYS_sched_setattr, 0, address, 0, 0);
}
