/** Checks of user namespaces, without which only root can record. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { MachineError } from "../base/errors.ts";
import { type Check, tryOut } from "./check.ts";

/** As root: whether other users could record, too. Tried as nobody, with the options that plg uses. */
export function checkOtherUsers(unshareOptions: readonly string[]): Promise<Check> {
  const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const unshare = ["unshare", ...unshareOptions, "--"];
  return tryOut(
    "without root",
    () => {
      run([...asNobody, ...unshare, "true"]);
      if (!canOpenTun([...asNobody, ...unshare]))
        throw new MachineError(
          "only root can record: only root can open /dev/net/tun ('chmod 0666 /dev/net/tun' as root)",
        );
      return "users other than root can make namespaces and open /dev/net/tun";
    },
    { status: "limited", mend: `only root can record; ${mendForUsers()}` },
  );
}

/** As another user: whether a user namespace can be made. */
export function checkUserNamespace(unshareOptions: readonly string[]): Promise<Check> {
  return tryOut(
    "user namespaces",
    () => {
      run(["unshare", ...unshareOptions, "--", "true"]);
      return "this user can be root in one";
    },
    { status: "missing", mend: `run plg as root, or: ${mendForUsers()}` },
  );
}

/** As another user: whether more users than root exist in it. */
export function checkSubordinateIds(unshareOptions: readonly string[]): Promise<Check> {
  const { username } = userInfo();
  const range = "100000-165535";
  return tryOut(
    "other users",
    () => {
      run(["unshare", ...unshareOptions, "--", "true"]);
      return "this user's subordinate ids are mapped: --uid works, and servers can change their user";
    },
    {
      status: "limited",
      mend: `commands are root in their namespace, and nobody else exists there (PostgreSQL refuses to be root); install newuidmap (uidmap), and as root 'usermod --add-subuids ${range} --add-subgids ${range} ${username}'`,
    },
  );
}

function canOpenTun(by: readonly string[]): boolean {
  try {
    run([...by, "sh", "-c", ": <>/dev/net/tun"]);
    return true;
  } catch {
    return false;
  }
}

function run([file = "", ...args]: readonly string[]): void {
  const { error, status, stderr } = spawnSync(file, args, { encoding: "utf8", timeout: 5000 });
  if (error) throw new Error(`${file} cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(stderr.trim().split("\n")[0] || `${file} failed`);
}

/** What distributions forbid users by, the value that allows it, and the test. */
const switches: readonly (readonly [string, string, (value: number) => boolean])[] = [
  ["kernel.unprivileged_userns_clone", "1", (value) => value > 0],
  ["user.max_user_namespaces", "15000", (value) => value > 0],
  ["kernel.apparmor_restrict_unprivileged_userns", "0", (value) => value === 0],
];

/** The sysctls that stand in the way; or else, what else there is. */
function mendForUsers(): string {
  const inTheWay = switches.filter(([name, , allows]) => {
    const value = readSysctl(name);
    return value !== undefined && !allows(value);
  });
  if (inTheWay.length > 0)
    return inTheWay.map(([name, value]) => `'sysctl -w ${name}=${value}' as root`).join(" and ");
  return "the sysctls allow it, so something else forbids it: a container runtime's seccomp profile, for one";
}

function readSysctl(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
  } catch {
    return undefined; // This kernel does not have it.
  }
}
