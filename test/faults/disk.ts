/**
 * Disks for the tests to break: an ext4 file system in a file, on a loop device, which takes
 * O_DIRECT as a real one does. They are mounted in mount namespaces of this test process' own, so
 * nothing of them is seen on the machine, and they go with the process at the latest. What it
 * starts sees them.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fd } from "../../src/base/units.ts";
import { CLONE_FS, CLONE_NEWNS, MS_PRIVATE, MS_REC } from "../../src/sys/abi.ts";
import { check } from "../../src/sys/errno.ts";
import { ioctl, mount, unshare } from "../../src/sys/libc.ts";
import { allocateRegion } from "../../src/sys/memory.ts";

// <linux/fs.h>: _IOWR('X', 119, int), _IOWR('X', 120, int). fs/ext4/ext4.h: _IOR('X', 125, __u32).
const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;
const EXT4_IOC_SHUTDOWN = 0x8004587d;
const EXT4_GOING_FLAGS_NOLOGFLUSH = 2;

let hasOwnMounts = false;

/** Moves this thread into a mount namespace of its own, once. CLONE_FS: see sys/namespace.ts. */
function leaveTheMachinesMounts(): void {
  if (hasOwnMounts) return;
  check(unshare(CLONE_FS | CLONE_NEWNS), "unshare", "a mount namespace");
  check(mount("none", "/", "none", MS_REC | MS_PRIVATE, 0), "mount MS_PRIVATE", "/");
  hasOwnMounts = true;
}

export class Disk {
  /** Where it is mounted. */
  readonly path: string;
  #frozen = false;

  private constructor(path: string) {
    this.path = path;
    mkdirSync(path);
    leaveTheMachinesMounts();
  }

  /** An ext4 disk below `folder`. */
  static make(folder: string, megabytes: number): Disk {
    const image = join(folder, "disk.img");
    writeFileSync(image, "");
    truncateSync(image, megabytes * 1024 * 1024);
    execFileSync("mkfs.ext4", ["-q", "-m", "0", image]);
    const disk = new Disk(join(folder, "disk"));
    execFileSync("mount", ["-o", "loop", image, disk.path]);
    return disk;
  }

  static makeInMemory(folder: string): Disk {
    const disk = new Disk(join(folder, "disk"));
    execFileSync("mount", ["-t", "tmpfs", "none", disk.path]);
    return disk;
  }

  makeReadOnly(): void {
    execFileSync("mount", ["-o", "remount,ro", this.path]);
  }

  /** From now on writes wait, until {@link thaw}. */
  freeze(): void {
    this.#control(FIFREEZE, "FIFREEZE", 0);
    this.#frozen = true;
  }

  thaw(): void {
    if (this.#frozen) this.#control(FITHAW, "FITHAW", 0);
    this.#frozen = false;
  }

  /** From now on every write fails with EIO, as on a disk that was pulled out. */
  break(): void {
    this.#control(EXT4_IOC_SHUTDOWN, "EXT4_IOC_SHUTDOWN", EXT4_GOING_FLAGS_NOLOGFLUSH);
  }

  /** Lazily, as a process that was just killed may still hold it for a moment. */
  unmount(): void {
    this.thaw();
    execFileSync("umount", ["--lazy", this.path]);
  }

  #control(request: number, name: string, value: number): void {
    const argument = allocateRegion(4);
    argument.view.setUint32(0, value, true);
    const fd = openSync(this.path, "r");
    try {
      check(ioctl(fd as Fd, request, argument.address), `ioctl ${name}`, this.path);
    } finally {
      closeSync(fd);
    }
  }
}
