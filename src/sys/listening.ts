/** Finds listening sockets of a network namespace in /proc/net/tcp and tcp6 (proc(5)). */
import { closeSync, openSync, readSync } from "node:fs";
import type { Family, Port } from "../base/units.ts";
import { inNamespaces, type Namespace } from "./namespace.ts";

/** The state of a listening socket in the table's fourth column: TCP_LISTEN. */
const listening = "0A";
/** The kernel lists listeners before all other sockets (tcp_seq_start), so the start suffices. */
const table = Buffer.alloc(0x4_0000);

/** Whether a process in `network` listens on `port` with a socket of this family. */
export function isListening(network: Namespace, family: Family, port: Port): boolean {
  return listeners(network, family, port).length > 0;
}

/** Whether `port` is listened on by loopback addresses alone. */
export function listensOnLoopback(network: Namespace, port: Port): boolean {
  const all = [...listeners(network, 4, port), ...listeners(network, 6, port)];
  return all.length > 0 && all.every(isLoopback);
}

/** The addresses of the listeners, in hexadecimal, each 32-bit word in the machine's byte order. */
function listeners(network: Namespace, family: Family, port: Port): readonly string[] {
  const lines = inNamespaces([network], () => readTable(family)).split("\n");
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return lines.flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === listening && local?.endsWith(wanted) === true
      ? [local.slice(0, -wanted.length)]
      : [];
  });
}

/**
 * 127.0.0.0/8, ::1, or one of the former as an IPv6 address; on machines that are little-endian.
 */
function isLoopback(address: string): boolean {
  return address === `${"0".repeat(24)}01000000` || (address.endsWith("7F") && isIpv4(address));
}

function isIpv4(address: string): boolean {
  return address.length === 8 || address.startsWith(`${"0".repeat(16)}FFFF0000`);
}

function readTable(family: Family): string {
  const fd = openSync(`/proc/thread-self/net/${family === 4 ? "tcp" : "tcp6"}`, "r");
  try {
    return table.toString("latin1", 0, readSync(fd, table));
  } finally {
    closeSync(fd);
  }
}
