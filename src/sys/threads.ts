/** The threads of a container's processes, from /proc as proc_pid_stat(5) lays it out. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Namespace } from "./namespace.ts";

/**
 * Whether a thread of a process in `network` is running or waits for a processor. `procPath` is a mount
 * of /proc that lists the processes. Those that may not be looked at do not count.
 */
export function hasRunnableThread(procPath: string, network: Namespace): boolean {
  const link = readlinkSync(`/proc/self/fd/${network.fd}`);
  return numbersIn(procPath).some((pid) => {
    const path = `${procPath}/${pid}`;
    return isInNetwork(path, link) && hasRunnable(`${path}/task`);
  });
}

function hasRunnable(tasksPath: string): boolean {
  return numbersIn(tasksPath).some((thread) => stateOf(`${tasksPath}/${thread}`) === "R");
}

function isInNetwork(processPath: string, link: string): boolean {
  try {
    return readlinkSync(`${processPath}/ns/net`) === link;
  } catch {
    return false; // It ended, or it is somebody else's.
  }
}

/** The program's name, in brackets, may itself have brackets and spaces. */
function stateOf(threadPath: string): string | undefined {
  try {
    const text = readFileSync(`${threadPath}/stat`, "latin1");
    return text.charAt(text.lastIndexOf(")") + 2);
  } catch {
    return undefined; // It ended.
  }
}

function numbersIn(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => /^\d/.test(name));
  } catch {
    return []; // The run's processes are gone.
  }
}
