/**
 * Checks what the kernel allows, in the process that would record: each creates the same thing that
 * a run creates, and frees it.
 */
import { Subnet } from "../net/subnet.ts";
import { closeNamespace, currentNamespace, inNewNamespaces } from "../sys/namespace.ts";
import { setLinkUp } from "../sys/interfaces.ts";
import { type Check, tryOut } from "./check.ts";
import { outputInProcessSpace } from "./process-space-output.ts";
import { checkSeeding } from "./seeding-check.ts";
import { createContainerSpace } from "../sandbox/network/container-space.ts";
import { createPipeSpace } from "../sandbox/network/pipe-space.ts";
import { Spawner } from "../sandbox/processes/spawner.ts";
import { createShortcut } from "../sandbox/network/shortcut.ts";
import { closeSpace, hasIpv6 } from "../sandbox/network/space.ts";

const privileges =
  "run as root, or allow user namespaces; for a Docker container '--cap-add SYS_ADMIN --cap-add NET_ADMIN'";

export async function checkNamespaces(): Promise<Check[]> {
  return [
    await tryOut("network namespaces", tryNetworkNamespace, {
      status: "missing",
      fix: privileges,
    }),
    await tryOut("/dev/net/tun", () => tryContainer("10.0.0.0/24"), {
      status: "missing",
      fix: privileges,
    }),
    await tryOut("IPv6", tryIpv6, {
      status: "limited",
      fix: "containers have only IPv4; boot without 'ipv6.disable=1' to have both",
    }),
    await tryOut("the shortcut", tryToTakeShortcut, {
      status: "limited",
      fix: "all TCP goes through the switch, which is slower; as root 'modprobe -a veth sch_ingress cls_bpf act_mirred'",
    }),
    ...(await checkProcesses()),
    await checkSeeding(),
  ];
}

function tryNetworkNamespace(): string {
  const namespace = inNewNamespaces(["net"], () => {
    setLinkUp("lo");
    return currentNamespace("net");
  });
  closeNamespace(namespace);
  return "created and configured one";
}

/** The address is invisible outside the new namespace. */
function tryContainer(subnet: string): string {
  closeSpace(createContainerSpace([Subnet.parse(subnet)], 0, false));
  return "created a device with offload and an address";
}

function tryIpv6(): string {
  if (!hasIpv6()) throw new Error("this kernel runs without IPv6");
  return tryContainer("fd00::/64");
}

function tryToTakeShortcut(): string {
  const subnets = [Subnet.parse("10.0.0.0/24")];
  const pipeSpace = createPipeSpace(subnets, false);
  try {
    const space = createContainerSpace(subnets, 0, false, () =>
      createShortcut(subnets, 0, pipeSpace.namespace),
    );
    closeSpace(space);
  } finally {
    closeSpace(pipeSpace);
  }
  return "TCP reaches the pipe space within the kernel";
}

/**
 * Prints the hosts file, and whether /proc shows the shell under its pid in the new PID namespace.
 * `read` is a builtin, so /proc/self is the shell.
 */
const script = `cat /etc/hosts; read -r pid rest </proc/self/stat; [ "$pid" = "$$" ] && echo own proc`;
const hosts = "10.0.0.1\tplg-doctor";

async function checkProcesses(): Promise<Check[]> {
  let ownProc = false;
  const name = "PID and mount namespaces";
  const processes = await tryOut(
    name,
    async () => {
      const output = await runInProcessSpace();
      ownProc = output.includes("own proc");
      if (output.includes(hosts)) return "ran a process in new ones, with its own hosts file";
      throw new Error("a process in new namespaces did not run, or saw the machine's /etc/hosts");
    },
    {
      status: "missing",
      fix: `${privileges} and, where AppArmor forbids mounts, '--security-opt apparmor=unconfined'`,
    },
  );
  if (processes.status !== "ok" || ownProc) return [processes];
  const fix = "install mount (util-linux); in a container '--security-opt systempaths=unconfined'";
  const detail = "commands see the machine's /proc, because mounting a new one failed";
  return [processes, { name: "/proc", status: "limited", detail, fix }];
}

async function runInProcessSpace(): Promise<string> {
  const network = inNewNamespaces(["net"], () => currentNamespace("net"));
  const spawner = await Spawner.start(undefined);
  try {
    // If it cannot be started, its output is empty, which the caller notices.
    const command = { file: "/bin/sh", args: ["-c", script] };
    return await outputInProcessSpace(spawner, network, `${hosts}\n`, command);
  } finally {
    await spawner.close();
    closeNamespace(network);
  }
}
