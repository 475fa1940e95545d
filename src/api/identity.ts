/** The users and groups that commands run as. */
import { spawnSync } from "node:child_process";
import { MachineError, UsageError } from "../base/errors.ts";
import type { Identity } from "../sandbox/processes/command.ts";
import { hasOtherUsers } from "./user-namespace.ts";

/** The identity of a run's commands. */
export interface IdentitySettings {
  /** The user that commands run as: a name or a number. @default the calling process's */
  readonly user?: string | number | undefined;
  /** The group. @default the user's own */
  readonly group?: string | number | undefined;
  /** Keeps commands from gaining privileges, such as by sudo. @default false */
  readonly noNewPrivileges?: boolean | undefined;
}

/** The identity. Throws a {@link UsageError} for users and groups that do not exist. */
export function identityOf({ user, group, noNewPrivileges }: IdentitySettings): Identity {
  if ((user ?? group) !== undefined && !hasOtherUsers())
    throw new MachineError(
      "only root, and users with subordinate ids, can run commands as another user or group: run plg as root, leave out the user and the group, or ask 'plg doctor'",
    );
  const uid = checkIdentity(user, "user");
  const gid = checkIdentity(group, "group") ?? (uid && primaryGroupOf(uid));
  return { uid, gid, noNewPrivs: noNewPrivileges };
}

/**
 * Checks a user or group: a name must exist, a number need not. Returns a known user's name in
 * place of the number.
 */
export function checkIdentity(
  given: string | number | undefined,
  kind: "user" | "group",
): string | undefined {
  if (given === undefined) return undefined;
  const text = String(given);
  const isNumber = /^\d{1,9}$/.test(text);
  if (isNumber && kind === "group") return text;
  const name = /^[\w.-]+$/.test(text) ? nameInDatabase(kind, text) : undefined;
  if (name === undefined && !isNumber)
    throw new UsageError(`there is no ${kind} '${text}' on this machine`);
  return name ?? text;
}

/** The name of this user or group in the system's database; undefined if there is none. */
function nameInDatabase(kind: "user" | "group", key: string): string | undefined {
  const database = kind === "user" ? "passwd" : "group";
  const { status, stdout } = spawnSync("getent", ["--", database, key], { encoding: "utf8" });
  return status === 0 ? stdout.split(":")[0] : undefined;
}

/**
 * The default group of a user: the user's own, so that no command keeps the caller's group. For a
 * number without a user, it is the group of the same number.
 */
export function primaryGroupOf(user: string): string {
  const { status, stdout } = spawnSync("id", ["-g", "--", user], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : user;
}
