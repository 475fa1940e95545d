/**
 * Checks of what the kernel must let plg do, in the process that would record: each makes the very thing
 * that a run makes, and lets it go again.
 */
import { Subnet } from "../net/subnet.ts";
import { closeNamespace, currentNamespace, inNewNamespaces } from "../sys/namespace.ts";
import { setLinkUp } from "../sys/interfaces.ts";
import { type Check, tryOut } from "./check.ts";
import { createContainerSpace } from "../sandbox/network/container-space.ts";
import { createPipeSpace } from "../sandbox/network/pipe-space.ts";
import { ProcessSpace } from "../sandbox/processes/process-space.ts";
import { createShortcut } from "../sandbox/network/shortcut.ts";
import { closeSpace, hasIpv6 } from "../sandbox/network/space.ts";

const privileges =
  "run as root, or where users may make user namespaces; in a Docker container '--cap-add SYS_ADMIN --cap-add NET_ADMIN'";

export async function checkNamespaces(): Promise<Check[]> {
  return [
    await tryOut("network namespaces", tryNetworkNamespace, {
      status: "missing",
      mend: privileges,
    }),
    await tryOut("/dev/net/tun", () => tryContainer("10.0.0.0/24"), {
      status: "missing",
      mend: privileges,
    }),
    await tryOut("IPv6", tryIpv6, {
      status: "limited",
      mend: "the containers have IPv4 alone; boot without 'ipv6.disable=1' to have both",
    }),
    await tryOut("the shortcut", tryToTakeShortcut, {
      status: "limited",
      mend: "all TCP goes through the switch, which is slower; as root 'modprobe -a veth sch_ingress cls_bpf act_mirred'",
    }),
    ...(await checkProcesses()),
  ];
}

function tryNetworkNamespace(): string {
  const namespace = inNewNamespaces(["net"], () => {
    setLinkUp("lo");
    return currentNamespace("net");
  });
  closeNamespace(namespace);
  return "one was made and configured";
}

/** Nothing outside the new namespace gets to know of the address. */
function tryContainer(subnet: string): string {
  closeSpace(createContainerSpace([Subnet.parse(subnet)], 0, false));
  return "a device was made, with offload and an address";
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
  return "TCP crosses to the pipe space within the kernel";
}

/**
 * Says which hosts file it sees, and whether /proc knows the shell by its number in the new PID namespace.
 * `read` is the shell's own, so that /proc/self is the shell.
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
      if (output.includes(hosts)) return "a process ran in new ones, with a hosts file of its own";
      throw new Error("a process in new namespaces did not run, or saw the machine's /etc/hosts");
    },
    {
      status: "missing",
      mend: `${privileges} and, where AppArmor forbids mounts, '--security-opt apparmor=unconfined'`,
    },
  );
  if (processes.status !== "ok" || ownProc) return [processes];
  const mend = "install mount (util-linux); in a container '--security-opt systempaths=unconfined'";
  const detail = "commands see the machine's /proc: theirs could not be mounted";
  return [processes, { name: "/proc", status: "limited", detail, mend }];
}

async function runInProcessSpace(): Promise<string> {
  const network = inNewNamespaces(["net"], () => currentNamespace("net"));
  const space = await ProcessSpace.create(`${hosts}\n`);
  try {
    const child = space.spawn(network, "/bin/sh", ["-c", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    // Its output ends without a word if it cannot be started; that is told by what is missing from it.
    child.once("error", () => {});
    let output = "";
    for await (const chunk of child.stdout ?? []) output += String(chunk);
    return output;
  } finally {
    space.close();
    closeNamespace(network);
  }
}
