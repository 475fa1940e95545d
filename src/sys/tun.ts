/**
 * TUN devices: a descriptor on which whole IP packets are read and written, each behind a virtio
 * header of 10 bytes. With the offloads below the kernel hands over packets of up to 64 KiB whose
 * checksum is not summed yet (drivers/net/tun.c), and takes them back the same way: the header is
 * handed on from one device to another as it came, and nobody segments or sums anything. The same holds
 * for trains of datagrams, where the kernel has them.
 */
import { openSync } from "node:fs";
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

/** `struct ifreq` is 40 bytes: the name in 16, then a union that starts with the flags. */
const request = allocateRegion(40);

/**
 * Creates the TUN device `name` in the network namespace of the calling thread. Non-blocking. Without
 * `segmentation` packets come out of it in the size that they would have on the wire.
 */
export function createTun(name: string, segmentation = true): Fd {
  const fd = openDevice();
  request.bytes.fill(0);
  new TextEncoder().encodeInto(name, request.bytes.subarray(0, 15));
  request.view.setUint16(16, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, true);
  check(ioctl(fd, TUNSETIFF, request.address), "ioctl TUNSETIFF", `TUN device ${name}`);
  setOffloads(fd, name, segmentation);
  return fd;
}

/**
 * Closes the descriptor and leaves the device to its namespace, with which it goes. A device that goes with its
 * descriptor is taken down during the call, and the kernel waits for some 40 ms (unregister_netdevice);
 * those of namespaces that go are taken down together, while nobody waits (default_device_exit_batch).
 */
export function closeTun(tun: Fd): void {
  // Fails where a command has deleted the device, which then is what was wanted.
  ioctl(tun, TUNSETPERSIST, 1);
  close(tun);
}

function setOffloads(fd: Fd, name: string, segmentation: boolean): void {
  if (segmentation) {
    const withTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    // UDP's came with Linux 6.2, which takes both families or none; before that it is EINVAL.
    if (ioctl(fd, TUNSETOFFLOAD, withTcp | TUN_F_USO4 | TUN_F_USO6) === 0) return;
    check(ioctl(fd, TUNSETOFFLOAD, withTcp), "ioctl TUNSETOFFLOAD", `TUN device ${name}`);
  } else check(ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM), "ioctl TUNSETOFFLOAD", `TUN device ${name}`);
}

function openDevice(): Fd {
  try {
    return openSync(devicePath, constants.O_RDWR | constants.O_NONBLOCK) as Fd;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "error";
    throw new MachineError(`cannot open ${devicePath}: ${code}; ${mend(code)}`, { cause: error });
  }
}

function mend(code: string): string {
  if (code === "EACCES" || code === "EPERM")
    return "let this user open it ('chmod 0666 /dev/net/tun' as root; '--device /dev/net/tun' for a Docker container)";
  return "load the driver ('modprobe tun' as root; '--device /dev/net/tun' for a Docker container)";
}
