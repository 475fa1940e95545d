/**
 * Bindings to the C library; no other module uses koffi. The functions take and return plain
 * numbers (descriptors, addresses, lengths), which koffi passes without allocating. On error they
 * return -1 and leave the code in {@link errno}; read it before the next call.
 *
 * The man pages document the functions; memory.ts explains where the addresses come from.
 */
import koffi from "koffi";
import type { Address, Fd } from "../base/units.ts";

const library = koffi.load(null);

type Parameter = "int" | "uint" | "ulong" | "size_t" | "int64_t" | "pointer" | "string";

/** Pointers are passed as integers: 0.1 us cheaper per call than koffi's pointer arguments. */
const koffiTypes: Record<Parameter, string> = {
  int: "int",
  uint: "unsigned int",
  ulong: "unsigned long",
  size_t: "size_t",
  int64_t: "int64_t",
  pointer: "intptr_t",
  string: "const char *",
};

function bind<F>(name: string, parameters: Parameter[], result: "int" | "intptr_t" = "int"): F {
  const types = parameters.map((parameter) => koffiTypes[parameter]);
  return library.func(name, result, types) as unknown as F;
}

/** The error code of this thread's last failed call. */
export const errno: () => number = () => koffi.errno();

/**
 * The address of a typed array's bytes. Use it only for memory that does not move: see memory.ts.
 */
export function addressOf(bytes: Uint8Array): Address {
  return Number(koffi.address(bytes)) as Address;
}

type Transfer = (fd: Fd, at: Address, lengthBytes: number) => number;
type SocketTransfer = (fd: Fd, at: Address, lengthBytes: number, flags: number) => number;
type MessageTransfer = (fd: Fd, message: Address, flags: number) => number;
type WithAddress = (fd: Fd, sockaddr: Address, lengthBytes: number) => number;

export const read: Transfer = bind("read", ["int", "pointer", "size_t"], "intptr_t");
export const write: Transfer = bind("write", ["int", "pointer", "size_t"], "intptr_t");
export const recv: SocketTransfer = bind("recv", ["int", "pointer", "size_t", "int"], "intptr_t");
export const send: SocketTransfer = bind("send", ["int", "pointer", "size_t", "int"], "intptr_t");
export const recvmsg: MessageTransfer = bind("recvmsg", ["int", "pointer", "int"], "intptr_t");
export const sendmsg: MessageTransfer = bind("sendmsg", ["int", "pointer", "int"], "intptr_t");
export const close: (fd: Fd) => number = bind("close", ["int"]);

export const socket: (family: number, type: number, protocol: number) => number = bind("socket", [
  "int",
  "int",
  "int",
]);
export const bindSocket: WithAddress = bind("bind", ["int", "pointer", "uint"]);
export const connect: WithAddress = bind("connect", ["int", "pointer", "uint"]);
export const listen: (fd: Fd, backlog: number) => number = bind("listen", ["int", "int"]);
export const accept4: (fd: Fd, sockaddr: Address, length: Address, flags: number) => number = bind(
  "accept4",
  ["int", "pointer", "pointer", "int"],
);
export const shutdown: (fd: Fd, how: number) => number = bind("shutdown", ["int", "int"]);
export const setsockopt: (
  fd: Fd,
  level: number,
  name: number,
  value: Address,
  lengthBytes: number,
) => number = bind("setsockopt", ["int", "int", "int", "pointer", "uint"]);
export const getsockopt: (
  fd: Fd,
  level: number,
  name: number,
  value: Address,
  length: Address,
) => number = bind("getsockopt", ["int", "int", "int", "pointer", "pointer"]);

/** `ioctl` with a pointer or an integer as argument: a register holds either. */
export const ioctl: (fd: Fd, request: number, argument: number) => number = bind("ioctl", [
  "int",
  "ulong",
  "pointer",
]);

/** `fcntl` with an integer argument. */
export const fcntl: (fd: Fd, command: number, argument: number) => number = bind("fcntl", [
  "int",
  "int",
  "int64_t",
]);

export const flock: (fd: Fd, operation: number) => number = bind("flock", ["int", "int"]);

export const epollCreate1: (flags: number) => number = bind("epoll_create1", ["int"]);
export const epollCtl: (epoll: Fd, operation: number, fd: Fd, event: Address) => number = bind(
  "epoll_ctl",
  ["int", "int", "int", "pointer"],
);
export const epollWait: (
  epoll: Fd,
  events: Address,
  capacity: number,
  timeoutMs: number,
) => number = bind("epoll_wait", ["int", "pointer", "int", "int"]);
export const eventfd: (initial: number, flags: number) => number = bind("eventfd", ["uint", "int"]);
export const timerfdCreate: (clock: number, flags: number) => number = bind("timerfd_create", [
  "int",
  "int",
]);
export const timerfdSettime: (alarm: Fd, flags: number, setting: Address, old: number) => number =
  bind("timerfd_settime", ["int", "int", "pointer", "pointer"]);

export const madvise: (at: Address, lengthBytes: number, advice: number) => number = bind(
  "madvise",
  ["pointer", "size_t", "int"],
);

/** `openat` without a mode: it opens existing files only. */
export const openat: (folder: Fd, path: string, flags: number) => number = bind("openat", [
  "int",
  "string",
  "int",
]);
export const unshare: (flags: number) => number = bind("unshare", ["int"]);
export const setns: (fd: Fd, kind: number) => number = bind("setns", ["int", "int"]);
export const mount: (
  source: string,
  target: string,
  type: string,
  flags: number,
  data: number,
) => number = bind("mount", ["string", "string", "string", "ulong", "pointer"]);
export const getrlimit: (resource: number, limit: Address) => number = bind("getrlimit", [
  "int",
  "pointer",
]);
export const setrlimit: (resource: number, limit: Address) => number = bind("setrlimit", [
  "int",
  "pointer",
]);
/** For system calls that some C libraries do not wrap, such as sched_setattr(2). */
export const syscall: (
  number: number,
  first: number,
  second: number,
  third: number,
  fourth: number,
) => number = bind("syscall", ["int64_t", "pointer", "pointer", "pointer", "pointer"], "intptr_t");
export const ifNameToIndex: (name: string) => number = bind("if_nametoindex", ["string"]);

export const chdir: (path: string) => number = bind("chdir", ["string"]);
export const pipe2: (ends: Address, flags: number) => number = bind("pipe2", ["pointer", "int"]);
export const poll: (fds: Address, count: number, timeoutMs: number) => number = bind("poll", [
  "pointer",
  "ulong",
  "int",
]);
export const personality: (persona: number) => number = bind("personality", ["ulong"]);

type ProcessTransfer = (
  pid: number,
  local: Address,
  localCount: number,
  remote: Address,
  remoteCount: number,
  flags: number,
) => number;
const processTransfer: Parameter[] = ["int", "pointer", "ulong", "pointer", "ulong", "ulong"];
export const processVmReadv: ProcessTransfer = bind(
  "process_vm_readv",
  processTransfer,
  "intptr_t",
);
export const processVmWritev: ProcessTransfer = bind(
  "process_vm_writev",
  processTransfer,
  "intptr_t",
);
