/**
 * The two ways to connect a server and a client: over the direct link, and in containers of `plg
 * record`. Commands and addresses are the same. Every run has fresh namespaces, so leftovers such
 * as ports in TIME_WAIT do not affect the next one.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { ProcessSpace } from "../src/sandbox/processes/process-space.ts";
import { inNamespaces, inNewNamespaces, type Namespace } from "../src/sys/namespace.ts";
import { dismiss, ended } from "./child.ts";
import { closeLink, createLink, type Link } from "./link.ts";
import { whenListening } from "./listening.ts";
import { type Commands, quoted } from "./measurement.ts";

interface Job {
  readonly commands: Commands;
  readonly port: number;
  /** A folder for this job only. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

interface Outcome {
  /** The client's standard output. */
  readonly output: string;
  /** The dump's size; undefined over the direct link. */
  readonly dumpBytes?: number;
}

export type Way = (job: Job) => Promise<Outcome>;

/** The time that a server has to end after SIGTERM. */
const graceMs = 5000;

export const direct: Way = (job) =>
  inFolder(job, async () => {
    const link = createLink();
    const space = await ProcessSpace.create(readFileSync("/etc/hosts", "utf8"));
    try {
      await runOver(link, space, job);
      return {};
    } finally {
      await space.close();
      closeLink(link);
    }
  });

/** Runs in a process space like a recording's, so that no process outlives it. */
async function runOver(link: Link, space: ProcessSpace, job: Job): Promise<void> {
  const start = (network: Namespace, command: string): ChildProcess =>
    inPlace(space.placeIn(network), () =>
      spawn("/bin/sh", ["-c", command], { stdio: "ignore", detached: true }),
    );
  const { server, client } = redirected(job);
  const serving = start(link.server, server);
  await whenListening(serving, job.port, job.signal);
  const end = await ended(start(link.client, client), job.signal);
  await dismiss(serving, graceMs);
  if (end !== 0) throw new Error(`the client ended with ${end}`);
}

/** Starts a child with the namespaces of a command. */
function inPlace(
  { network, mounts, pids }: ReturnType<ProcessSpace["placeIn"]>,
  start: () => ChildProcess,
): ChildProcess {
  return inNamespaces(network ? [network, mounts] : [mounts], () =>
    inNewNamespaces(["mnt"], () => inNamespaces([pids], start)),
  );
}

/** @param program plg's main module. */
export function throughPlg(program: string): Way {
  return (job) =>
    inFolder(job, async () => {
      const dump = join(job.folder, "dump.traffic");
      const { server, client } = redirected(job);
      const args = `record --no-ipv6 --quiet --wait-listen 30s --until client -f`.split(" ");
      const commands = [`server=${server}`, `client=${client}`];
      const child = spawn(process.execPath, [program, ...args, dump, ...commands], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      const said: Buffer[] = [];
      child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
      const end = await ended(child, job.signal);
      if (end !== 0) throw new Error(`plg ended with ${end}: ${Buffer.concat(said).toString()}`);
      return { dumpBytes: statSync(dump).size };
    });
}

/** Runs `body` in the job's folder, and adds the client's output to its result. */
async function inFolder(
  { folder, signal }: Job,
  body: () => Promise<Omit<Outcome, "output">>,
): Promise<Outcome> {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  try {
    const outcome = await body();
    return { ...outcome, output: readFileSync(join(folder, "client.out"), "utf8") };
  } catch (error) {
    const late = signal.aborted ? "it took too long: " : "";
    const text = (error as Error).message.trim().replaceAll(/\s*\n\s*/g, " / ");
    throw new Error(`${late}${text}${lastWords(folder)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Uses the same files both ways, so that the output's destination makes no difference. */
function redirected({ commands, folder }: Job): Commands {
  const file = (name: string): string => quoted(join(folder, name));
  return {
    server: `exec >${file("server.log")} 2>&1; ${commands.server}`,
    client: `exec >${file("client.out")} 2>${file("client.err")}; ${commands.client}`,
  };
}

function lastWords(folder: string): string {
  return ["client.err", "server.log"].map((name) => lastLines(join(folder, name))).join("");
}

function lastLines(file: string): string {
  try {
    const lines = readFileSync(file, "utf8").trim().split("\n");
    // Node prints the error before the stack trace; other programs print it last.
    const told = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.slice(-3).join(" / ");
    return told === "" ? "" : `; ${told}`;
  } catch {
    return "";
  }
}
