/**
 * Without root, plg runs inside a user namespace in which it is root (cli/launch/rootless.ts). Only
 * that plg has this variable in its environment.
 */
import { readFileSync } from "node:fs";

/** The environment variable. */
export const userNamespaceMarker = "PLG_IN_USER_NAMESPACE";

/** Whether this process runs inside a user namespace that plg created. */
export function isInUserNamespace(): boolean {
  return process.env[userNamespaceMarker] !== undefined;
}

/** Whether users other than root exist here: /proc/self/uid_map then has more than root's line. */
export function hasOtherUsers(): boolean {
  return readFileSync("/proc/self/uid_map", "utf8").trim().includes("\n") || !isInUserNamespace();
}
