/** The machine's own hosts file. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** Its content, or the usual content if the machine has none. */
export function machineHosts(): string {
  try {
    return readFileSync("/etc/hosts", "utf8");
  } catch {
    return `127.0.0.1\tlocalhost ${hostname()}\n::1\tlocalhost\n`;
  }
}
