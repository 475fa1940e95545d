/** What the actors call besides what plg's own src/sys/libc.ts has. */
import koffi from "koffi";
import type { Address, Fd } from "../../../src/base/units.ts";

const library = koffi.load(null);

type NameOf = (fd: Fd, sockaddr: Address, length: Address) => number;

export const getsockname = library.func("int getsockname(int, intptr_t, intptr_t)") as NameOf;
export const getpeername = library.func("int getpeername(int, intptr_t, intptr_t)") as NameOf;
export const poll = library.func("int poll(intptr_t, unsigned long, int)") as (
  descriptors: Address,
  count: number,
  timeoutMs: number,
) => number;
export const sendto = library.func(
  "intptr_t sendto(int, intptr_t, size_t, int, intptr_t, unsigned int)",
) as (
  fd: Fd,
  at: Address,
  lengthBytes: number,
  flags: number,
  sockaddr: Address,
  sockaddrBytes: number,
) => number;
