/**
 * Network namespaces as `ip` makes them, not as plg does: what the networks to compare with are
 * built of.
 */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { currentNamespace, inNewNamespaces, type Namespace } from "../../src/sys/namespace.ts";

/** A namespace without a name: it goes with its last descriptor and process. */
export function newNetwork(): Namespace {
  return inNewNamespaces(["net"], () => {
    for (const name of ["all", "default", "lo"])
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "0");
    return currentNamespace("net");
  });
}

/** What `ip` takes for the name of a namespace: a path. */
export function pathOf({ fd }: Namespace): string {
  return `/proc/${process.pid}/fd/${fd}`;
}

/** Runs these commands of `ip` in the thread's namespace. */
export function ip(...lines: readonly string[]): void {
  const input = `${lines.join("\n")}\n`;
  const { status, stderr, error } = spawnSync("ip", ["-batch", "-"], { input, encoding: "utf8" });
  if (status !== 0) throw new Error(`ip cannot do "${lines.join("; ")}": ${error ?? stderr}`);
}

/** Brings `lo` and `device` up in the thread's namespace, with these addresses. */
export function configureHost(device: string, addresses: readonly string[]): void {
  ip(
    "link set lo up",
    `link set ${device} up`,
    ...addresses.map((address) => `address add ${address} dev ${device} nodad`),
  );
}
