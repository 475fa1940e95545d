/**
 * How many datagrams a network namespace dropped because a socket's receive buffer was full: the
 * counters RcvbufErrors of UDP over IPv4 and IPv6, as /proc/net/snmp and /proc/net/snmp6 have them.
 */
import { readFileSync } from "node:fs";
import { inNamespaces, type Namespace } from "./namespace.ts";

export function droppedDatagrams(network: Namespace): number {
  return inNamespaces([network], () => {
    try {
      // Not /proc/net, which shows the namespace of the process's main thread.
      const [v4, v6] = ["snmp", "snmp6"].map((name) =>
        readFileSync(`/proc/thread-self/net/${name}`, "latin1"),
      );
      return countDrops(v4 ?? "", v6 ?? "");
    } catch {
      // Without IPv6, or with a /proc of another PID namespace, there is nothing to count.
      return 0;
    }
  });
}

/** Reads the counters from the text of both files. */
export function countDrops(snmp: string, snmp6: string): number {
  const [names = [], values = []] = snmp
    .split("\n")
    .filter((line) => line.startsWith("Udp:"))
    .map((line) => line.split(" "));
  const v4 = Number(values[names.indexOf("RcvbufErrors")] ?? 0);
  const v6 = Number(/^Udp6RcvbufErrors\s+(\d+)$/m.exec(snmp6)?.[1] ?? 0);
  return v4 + v6;
}
