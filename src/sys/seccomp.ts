/**
 * Seccomp's user notification (seccomp_unotify(2)): a filter stops some system calls of a thread
 * and of all that it starts from then on, and another thread answers them.
 */
import type { Fd } from "../base/units.ts";
import {
  POLLIN,
  pollfd,
  SECCOMP_FILTER_FLAG_NEW_LISTENER,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
  SECCOMP_IOCTL_NOTIF_ID_VALID,
  SECCOMP_IOCTL_NOTIF_RECV,
  SECCOMP_IOCTL_NOTIF_SEND,
  SECCOMP_IOCTL_NOTIF_SET_FLAGS,
  SECCOMP_SET_MODE_FILTER,
  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP,
  SECCOMP_USER_NOTIF_FLAG_CONTINUE,
  seccompNotif,
  seccompNotifResp,
  sockFprog,
  SYS_seccomp,
} from "./abi.ts";
import { check } from "./errno.ts";
import { ioctl, poll, syscall } from "./libc.ts";
import { allocateRegion } from "./memory.ts";

/** Instructions of 8 bytes: `struct sock_filter`. */
const instructionBytes = 8;

/**
 * Puts `program` over the calling thread, for good and for everything that it starts. Returns the
 * descriptor that its notifications are read from. Throws a SystemError where the kernel refuses:
 * EINVAL before Linux 5.19, EBUSY if the thread is under such a filter already (one listener is all
 * a chain of filters has), EACCES without CAP_SYS_ADMIN.
 */
export function installNotifyingFilter(program: Uint8Array): Fd {
  const instructions = allocateRegion(program.length);
  instructions.bytes.set(program);
  const header = allocateRegion(sockFprog.sizeBytes);
  header.view.setUint16(0, program.length / instructionBytes, true);
  header.view.setBigUint64(sockFprog.filterAt, BigInt(instructions.address), true);
  const flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, header.address, 0);
  return check(listener, "seccomp", "a filter with a listener") as Fd;
}

/** Receives the calls that a filter stopped, one at a time, and answers them. */
export class NotificationListener {
  readonly #listener: Fd;
  readonly #notification = allocateRegion(seccompNotif.sizeBytes);
  readonly #response = allocateRegion(seccompNotifResp.sizeBytes);
  readonly #polled = allocateRegion(3 * pollfd.sizeBytes);

  /**
   * `wakeup` ends a {@link wait} early, and so does `other`, where something else is asked. The
   * descriptors stay the caller's.
   */
  constructor(listener: Fd, wakeup: Fd, other: Fd | undefined) {
    this.#listener = listener;
    // poll(2) ignores negative descriptors.
    [listener, wakeup, other ?? -1].forEach((fd, i) => {
      this.#polled.view.setInt32(i * pollfd.sizeBytes, fd, true);
      this.#polled.view.setInt16(i * pollfd.sizeBytes + pollfd.eventsAt, POLLIN, true);
    });
    // The answering thread then runs at once where the caller ran. Kernels before 6.6 refuse, and
    // work without.
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
  }

  /** Waits for a call, but not longer than `timeoutMs`. */
  wait(timeoutMs: number): {
    readonly isCalled: boolean;
    readonly isWoken: boolean;
    readonly isAsked: boolean;
  } {
    const { address, view } = this.#polled;
    const isReady = (i: number): boolean =>
      (view.getInt16(i * pollfd.sizeBytes + pollfd.returnedAt, true) & POLLIN) !== 0;
    for (const i of [0, 1, 2]) view.setInt16(i * pollfd.sizeBytes + pollfd.returnedAt, 0, true);
    poll(address, 3, timeoutMs);
    return { isCalled: isReady(0), isWoken: isReady(1), isAsked: isReady(2) };
  }

  /**
   * Takes the next call. False if there is none any more: its process was killed. After {@link
   * wait} has reported one this does not block: the kernel counts notifications, gone ones too
   * (seccomp_notify_recv in kernel/seccomp.c).
   */
  receive(): boolean {
    const { bytes, address } = this.#notification;
    bytes.fill(0);
    return ioctl(this.#listener, SECCOMP_IOCTL_NOTIF_RECV, address) === 0;
  }

  /** The calling thread, as this process knows it. */
  get tid(): number {
    return this.#notification.view.getUint32(seccompNotif.pidAt, true);
  }

  get callNumber(): number {
    return this.#notification.view.getInt32(seccompNotif.numberAt, true);
  }

  /** The call's argument `index`, from 0. Exact up to 2^53: addresses and lengths are. */
  argument(index: number): number {
    const at = seccompNotif.argumentsAt + 8 * index;
    return Number(this.#notification.view.getBigUint64(at, true));
  }

  /** Whether the process still waits: otherwise its number may be another's by now. */
  isWaiting(): boolean {
    return ioctl(this.#listener, SECCOMP_IOCTL_NOTIF_ID_VALID, this.#notification.address) === 0;
  }

  /** Identifies the call, for {@link letHeldPass}. */
  get id(): bigint {
    return this.#notification.view.getBigUint64(0, true);
  }

  /** Lets the kernel execute an earlier call that has not been answered. */
  letHeldPass(id: bigint): void {
    this.#sendTo(id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  }

  /** Has the call return `value`. */
  answer(value: number): void {
    this.#send(value, 0, 0);
  }

  /** Has the call fail. */
  refuse(errorNumber: number): void {
    this.#send(0, -errorNumber, 0);
  }

  /** Lets the kernel execute the call as if there were no filter. */
  letPass(): void {
    this.#send(0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE);
  }

  /** It fails if the process has been killed meanwhile, which is no concern of ours. */
  #send(value: number, error: number, flags: number): void {
    this.#sendTo(this.id, value, error, flags);
  }

  #sendTo(id: bigint, value: number, error: number, flags: number): void {
    const { view, address } = this.#response;
    view.setBigUint64(0, id, true);
    view.setBigInt64(seccompNotifResp.valueAt, BigInt(value), true);
    view.setInt32(seccompNotifResp.errorAt, error, true);
    view.setUint32(seccompNotifResp.flagsAt, flags, true);
    ioctl(this.#listener, SECCOMP_IOCTL_NOTIF_SEND, address);
  }
}
