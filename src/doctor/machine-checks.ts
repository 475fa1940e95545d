/** Checks the system, programs, the folder for dumps, and limits. */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeSync } from "node:fs";
import { machine, release, type as kernelName } from "node:os";
import { join } from "node:path";
import { closeDumpFile, describeErrno, openDumpFile } from "../dump/store/file.ts";
import { writeUnitBytes } from "../dump/format/schema.ts";
import { allocateRegion } from "../sys/memory.ts";
import { type Check, type CheckStatus, tryOut } from "./check.ts";

/** `folder`: the folder for dumps. */
export async function checkMachine(folder: string): Promise<Check[]> {
  return [
    await tryOut("Linux", tryKernel, { status: "missing", fix: "plg runs only on Linux" }),
    await tryOut("Node.js", tryNode, {
      status: "missing",
      fix: "install Node.js 20.19 or newer",
    }),
    ...(await checkPrograms()),
    await tryOut("O_DIRECT", () => tryDirect(folder), {
      status: "limited",
      fix: "dumps go through the page cache, which is slower; choose another file system for them",
    }),
    await tryOut("open files", tryDescriptors, {
      status: "limited",
      fix: "raise the limit with 'ulimit -n' before starting plg",
    }),
  ];
}

function tryKernel(): string {
  const text = `${kernelName()} ${release()} ${machine()}`;
  if (process.platform !== "linux") throw new Error(text);
  return text;
}

function tryNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Error(process.version);
  return process.version;
}

/** The programs that plg itself runs, and why. */
const programs: readonly (readonly [string, Exclude<CheckStatus, "ok">, string])[] = [
  ["/bin/sh", "missing", "it runs the commands: install a shell"],
  ["mount", "limited", "without it commands see the machine's /proc: install mount (util-linux)"],
  ["setpriv", "limited", "running commands as another user needs it: install util-linux"],
  ["getent", "limited", "looking up users' and groups' names needs it: install libc-bin"],
  ["unshare", "missing", "containers' processes are started by it: install util-linux"],
  ["nsenter", "limited", "namespaces of a plg that was killed last longer: install util-linux"],
];

function checkPrograms(): Promise<Check[]> {
  return Promise.all(
    programs.map(([name, status, fix]) => tryOut(name, () => tryProgram(name), { status, fix })),
  );
}

function tryProgram(name: string): string {
  const args = name === "/bin/sh" ? ["-c", ":"] : ["--version"];
  const { error, stdout, status } = spawnSync(name, args, { encoding: "utf8", timeout: 5000 });
  if (error) throw new Error(`cannot run it: ${describeErrno(error).words}`);
  // BusyBox has no --version, and lacks the options that plg uses.
  if (status !== 0) throw new Error(`'${name} ${args.join(" ")}' failed`);
  return stdout.split("\n")[0]?.replaceAll(/ \([^)]*\)/g, "") || "it runs";
}

function tryDirect(folder: string): string {
  const path = join(folder, `.plg-doctor-${process.pid}`);
  const file = openDumpFile(path);
  try {
    if (!file.direct) throw new Error(`the file system of ${folder} does not support it`);
    // Some file systems accept the flag at open and refuse it at the write.
    writeSync(file.fd, allocateRegion(writeUnitBytes).bytes);
    return `dumps in ${folder} go past the page cache`;
  } finally {
    closeDumpFile(file);
    rmSync(path);
  }
}

/** With fewer descriptors, a few thousand concurrent connections are too many. */
const fewDescriptors = 4096;

function tryDescriptors(): string {
  const limits = readFileSync("/proc/self/limits", "utf8");
  // Node raises the soft limit to the hard limit when it starts.
  const limit = Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
  const text = `at most ${limit}: two for each open connection, two for each container`;
  if (limit < fewDescriptors) throw new Error(text);
  return text;
}
