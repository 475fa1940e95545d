/** Checks user namespaces, without which only root can record. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { MachineError } from "../base/errors.ts";
import { type Check, tryOut } from "./check.ts";

/**
 * As root: whether other users can record, too. Tries as nobody, with the options that plg uses.
 */
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
      return "other users can create namespaces and open /dev/net/tun";
    },
    { status: "limited", fix: `only root can record; ${fixForUsers()}` },
  );
}

/** As another user: whether the user can create a user namespace. */
export function checkUserNamespace(unshareOptions: readonly string[]): Promise<Check> {
  return tryOut(
    "user namespaces",
    () => {
      run(["unshare", ...unshareOptions, "--", "true"]);
      return "this user can be root in one";
    },
    { status: "missing", fix: `run plg as root, or: ${fixForUsers()}` },
  );
}

/** As another user: whether the user namespace has users besides root. */
export function checkSubordinateIds(unshareOptions: readonly string[]): Promise<Check> {
  const { username } = userInfo();
  const range = "100000-165535";
  return tryOut(
    "other users",
    () => {
      run(["unshare", ...unshareOptions, "--", "true"]);
      return "this user's subordinate ids are mapped: commands can run as other users, and servers can change theirs";
    },
    {
      status: "limited",
      fix: `commands run as root of their namespace, which has no other user (PostgreSQL refuses to run as root); install newuidmap (uidmap), and as root 'usermod --add-subuids ${range} --add-subgids ${range} ${username}'`,
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
  if (error) throw new Error(`cannot run ${file}: ${error.message}`);
  if (status !== 0) throw new Error(stderr.trim().split("\n")[0] || `${file} failed`);
}

/**
 * The sysctls by which distributions forbid user namespaces, a value that allows them, and a test.
 */
const switches: readonly (readonly [string, string, (value: number) => boolean])[] = [
  ["kernel.unprivileged_userns_clone", "1", (value) => value > 0],
  ["user.max_user_namespaces", "15000", (value) => value > 0],
  ["kernel.apparmor_restrict_unprivileged_userns", "0", (value) => value === 0],
];

/**
 * How to allow user namespaces: by the sysctls that forbid them, or else by what may be in the way.
 */
function fixForUsers(): string {
  const inTheWay = switches.filter(([name, , allows]) => {
    const value = readSysctl(name);
    return value !== undefined && !allows(value);
  });
  if (inTheWay.length > 0)
    return inTheWay.map(([name, value]) => `'sysctl -w ${name}=${value}' as root`).join(" and ");
  return "no sysctl forbids it, so something else does, such as a container runtime's seccomp profile";
}

function readSysctl(name: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8"));
  } catch {
    return undefined; // This kernel lacks it.
  }
}
