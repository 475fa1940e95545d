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
  const lines = inNamespaces([network], () => readTable(family)).split("\n");
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return lines.some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === listening && local?.endsWith(wanted) === true;
  });
}

function readTable(family: Family): string {
  const fd = openSync(`/proc/thread-self/net/${family === 4 ? "tcp" : "tcp6"}`, "r");
  try {
    return table.toString("latin1", 0, readSync(fd, table));
  } finally {
    closeSync(fd);
  }
}
