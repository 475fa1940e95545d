/** Puts plg's random bytes over the kernel's files of them. */
import type { Fd } from "../../base/units.ts";
import { deviceMode } from "../../determinism/core/fuse.ts";
import { MS_BIND } from "../../sys/abi.ts";
import { mountFuse } from "../../sys/fuse.ts";
import { mount } from "../../sys/libc.ts";
import { inNamespaces, type Namespace } from "../../sys/namespace.ts";

const served = "/dev/urandom";

/**
 * Mounts the device as /dev/urandom and /dev/random in the thread's mount namespace. Returns
 * whether that succeeded; if not, the kernel's own devices stay.
 */
export function mountRandomDevice(device: Fd): boolean {
  if (mountFuse(device, served, deviceMode) < 0) return false;
  return mount(served, "/dev/random", "none", MS_BIND, 0) === 0;
}

/**
 * Puts the same file over the random numbers in the /proc of a namespace. Its server sees which
 * name a reader opened. If that fails, the kernel's own files stay.
 */
export function coverRandomNumbers(mounts: Namespace): void {
  inNamespaces([mounts], () => {
    for (const name of ["uuid", "boot_id"])
      mount(served, `/proc/sys/kernel/random/${name}`, "none", MS_BIND, 0);
  });
}
