/** Runs a program the way a run's commands run, for checks that look at what it prints. */
import { ProcessSpace } from "../sandbox/processes/process-space.ts";
import type { SpawnRequest } from "../sandbox/processes/spawner-task.ts";
import type { Spawner } from "../sandbox/processes/spawner.ts";
import type { Namespace } from "../sys/namespace.ts";

/**
 * Runs `command` in a process space of its own, with this text as /etc/hosts, and returns its
 * output: "" if it cannot be started.
 */
export async function outputInProcessSpace(
  spawner: Spawner,
  network: Namespace,
  hosts: string,
  command: Pick<SpawnRequest, "file" | "args">,
): Promise<string> {
  const space = await ProcessSpace.create(hosts);
  try {
    const compartment = await space.addCompartment(spawner);
    const program = { ...command, env: process.env, cwd: "/" };
    const { stdout, stderr } = await space.spawn(spawner, compartment, network, program);
    stderr.resume();
    let output = "";
    for await (const chunk of stdout) output += String(chunk);
    return output;
  } finally {
    await space.close();
  }
}
