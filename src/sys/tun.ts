/**
 * TUN devices: descriptors that read and write whole IP packets, each behind a virtio header of 10
 * bytes. With the offloads below, the kernel hands over packets of up to 64 KiB with partial
 * checksums (drivers/net/tun.c) and accepts them in the same form. The switch passes the header
 * from one device to the other unchanged, and nobody segments packets or computes checksums. The
 * same applies to trains of datagrams, where the kernel supports them.
 */
import { openSync } from "node:fs";
import { allOrNothingNow } from "../base/undo-stack.ts";
import { MachineError } from "../base/errors.ts";
import type { Fd } from "../base/units.ts";
import {
  IFF_NO_PI,
  IFF_TUN,
  IFF_VNET_HDR,
  TUN_F_CSUM,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  TUNSETIFF,
  TUNSETOFFLOAD,
  TUNSETPERSIST,
} from "./abi.ts";
import { check } from "./errno.ts";
import { close, ioctl } from "./libc.ts";
import { allocateRegion } from "./memory.ts";
import { constants } from "node:fs";

const devicePath = "/dev/net/tun";

/** `struct ifreq` has 40 bytes: 16 for the name, then a union that starts with the flags. */
const request = allocateRegion(40);

/**
 * Creates the non-blocking TUN device `name` in the calling thread's network namespace. Without
 * `segmentation`, its packets have the size that they would have on a wire.
 */
export function createTun(name: string, segmentation = true): Fd {
  return allOrNothingNow((undos) => {
    const fd = openDevice();
    undos.push(() => close(fd));
    request.bytes.fill(0);
    new TextEncoder().encodeInto(name, request.bytes.subarray(0, 15));
    request.view.setUint16(16, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, true);
    check(ioctl(fd, TUNSETIFF, request.address), "ioctl TUNSETIFF", `TUN device ${name}`);
    setOffloads(fd, name, segmentation);
    return fd;
  });
}

/**
 * Closes the descriptor but leaves the device, which disappears with its namespace. The kernel
 * needs some 40 ms to remove a device together with its descriptor (unregister_netdevice); devices
 * of dying namespaces are removed together, while nobody waits (default_device_exit_batch).
 */
export function closeTun(tun: Fd): void {
  // This fails if a command has deleted the device, which is fine.
  ioctl(tun, TUNSETPERSIST, 1);
  close(tun);
}

function setOffloads(fd: Fd, name: string, segmentation: boolean): void {
  if (segmentation) {
    const withTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    // UDP offload exists since Linux 6.2, for both families or none; older kernels return EINVAL.
    if (ioctl(fd, TUNSETOFFLOAD, withTcp | TUN_F_USO4 | TUN_F_USO6) === 0) return;
    check(ioctl(fd, TUNSETOFFLOAD, withTcp), "ioctl TUNSETOFFLOAD", `TUN device ${name}`);
  } else check(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM), "ioctl TUNSETOFFLOAD", `TUN device ${name}`);
}

function openDevice(): Fd {
  try {
    return openSync(devicePath, constants.O_RDWR | constants.O_NONBLOCK) as Fd;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "error";
    throw new MachineError(`cannot open ${devicePath}: ${code}; ${hint(code)}`, { cause: error });
  }
}

function hint(code: string): string {
  if (code === "EACCES" || code === "EPERM")
    return "let this user open it ('chmod 0666 /dev/net/tun' as root; '--device /dev/net/tun' for a Docker container)";
  return "load the driver ('modprobe tun' as root; '--device /dev/net/tun' for a Docker container)";
}
