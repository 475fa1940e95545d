/**
 * Without root, plg runs itself again in a user namespace. There it is root over new network and
 * mount namespaces, and over nothing else. A process with several threads cannot enter a user
 * namespace (unshare(2)), so util-linux's unshare does it before Node starts.
 */
import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { isInUserNamespace, userNamespaceMarker } from "../../api/user-namespace.ts";
import { MachineError } from "../../base/errors.ts";
import { ExitCode } from "../errors/exit-code.ts";

const needing = new Set(["record", "replay"]);

/**
 * The options of util-linux's unshare: a user namespace in which this user is root, and the other
 * namespaces that a run needs.
 */
export const unshareOptions: readonly string[] = [
  "--user",
  "--map-root-user",
  "--net",
  "--mount",
  "--keep-caps",
];

/**
 * The same, and this user's subordinate ids (subuid(5)), which newuidmap(1) maps. Then users other
 * than root exist inside, so servers can switch to one of them, as most do.
 */
export const withOtherUsers: readonly string[] = [...unshareOptions, "--map-auto"];

export function needsUserNamespace(args: readonly string[]): boolean {
  const wantsHelp = args.includes("-h") || args.includes("--help");
  return (
    process.geteuid?.() !== 0 && !isInUserNamespace() && needing.has(args[0] ?? "") && !wantsHelp
  );
}

/** Runs plg again inside a user namespace. Resolves to its exit code. */
export function runInUserNamespace(args: readonly string[]): Promise<number> {
  const options = possibleOptions();
  const self = [process.execPath, ...process.execArgv, process.argv[1] ?? "", ...args];
  // The kernel kills the child with this process, which could not pass on its own SIGKILL.
  const withUs = ["--pdeathsig", "KILL", "--", "unshare"];
  const child = spawn("setpriv", [...withUs, ...options, "--", ...self], {
    stdio: "inherit",
    env: { ...process.env, [userNamespaceMarker]: "1" },
  });
  // Signals to this process alone are passed on. A terminal sends Ctrl-C to the child directly.
  process.on("SIGINT", () => void (isInForeground() || child.kill("SIGINT")));
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        new MachineError(
          `plg needs root, or util-linux' setpriv and unshare to do without: ${error.message}; run it as root, or install util-linux`,
        ),
      ),
    );
    child.once("exit", (code, signal) => {
      if (signal) resolve(128 + (constants.signals[signal] ?? 0));
      else resolve(code ?? ExitCode.bug);
    });
  });
}

/**
 * Chooses the options by a trial, so that a failure of unshare is reported in plg's words, and
 * cannot be confused with a run's exit code.
 */
function possibleOptions(): readonly string[] {
  if (attempt(withOtherUsers).status === 0) return withOtherUsers;
  const { error, status, stderr } = attempt(unshareOptions);
  if (status === 0) return unshareOptions;
  const reason = error?.message ?? stderr.trim();
  throw new MachineError(
    `without root plg needs a user namespace of its own, which cannot be made here (${reason}): run it as root, or ask 'plg doctor'`,
  );
}

function attempt(options: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync("unshare", [...options, "--", "true"], { encoding: "utf8" });
}

/**
 * Whether a terminal's Ctrl-C reaches this process: pgrp and tpgid of proc_pid_stat(5) are equal.
 */
function isInForeground(): boolean {
  const text = readFileSync("/proc/self/stat", "latin1");
  const [, , group, , , foreground] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return group === foreground;
}
