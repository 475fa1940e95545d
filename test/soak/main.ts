/**
 * `npm run soak -- --minutes 5` (or `--hours 2`): real programs through plg, killed at random, over
 * a link that fails; and at the end of each round the accounts: nothing lost, nothing leaked,
 * nobody left.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { formatBytes, formatDuration } from "../../src/base/text.ts";
import { programPath } from "../programs/program-path.ts";
import {
  childrenOf,
  type HeldNamespace,
  holdPidNamespace,
  isFirstInPidNamespace,
  processesInPidNamespace,
} from "../programs/processes.ts";
import { type Accounts, balance } from "./accounts.ts";
import { type Load, prepareLoad, victims } from "./load.ts";
import { Vitals } from "./vitals.ts";

/** One run of plg, and so one dump: some 2.4 GB in ten minutes. */
const roundMs = 600_000;
const lookMs = 1000;
const tellEveryMs = 15_000;
/** Somebody is killed every so often, on the average. */
const killEveryMs = 1500;

/** scripts/soak goes there. */
const root = process.cwd();

const { values } = parseArgs({
  options: { minutes: { type: "string" }, hours: { type: "string" } },
});
const totalMs =
  Number(values.hours ?? 0) * 3_600_000 + Number(values.minutes ?? (values.hours ? 0 : 5)) * 60_000;

/** The reader's link: slow, lossy, and every now and then not there. */
function faultyLink(durationMs: number): string {
  const downs: string[] = [];
  for (let atMs = 20_000; atMs < durationMs && downs.length < 15; atMs += 20_000 + durationMs / 30)
    downs.push(`down at ${Math.round(atMs)}ms up at ${Math.round(atMs) + 1500}ms`);
  return `reader<->site: delay 2ms loss 1% ${downs.join(" ")}`;
}

class Round {
  readonly #folder: string;
  readonly #durationMs: number;
  readonly #load: Load;
  #output = "";
  #kills = 0;
  /** The commands' namespace. */
  #pids: HeldNamespace | undefined;

  constructor(folder: string, durationMs: number) {
    this.#folder = folder;
    this.#durationMs = durationMs;
    this.#load = prepareLoad(folder, join(root, "test/soak/ledger.mjs"));
  }

  /** Runs it; returns what is wrong. */
  async run(): Promise<string[]> {
    const options = ["--wait-listen=10s", "--grace=3s", `--link=${faultyLink(this.#durationMs)}`];
    const args = ["record", ...options, "--link=teller<->writer: delay 1ms loss 0.5%"];
    const child = spawn(join(root, "plg"), [...args, ...this.#load.commands], {
      cwd: this.#folder,
      env: { ...process.env, PATH: programPath },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on(
        "data",
        (chunk: Buffer) => (this.#output = (this.#output + String(chunk)).slice(-20_000)),
      );
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const vitals = new Vitals(child.pid ?? 0);
    await this.#harass(child, vitals);
    child.kill("SIGTERM");
    const exitCode = await ended;
    return [...this.#check(exitCode), ...vitals.problems(), ...this.#settle(vitals)];
  }

  async #harass(child: ChildProcess, vitals: Vitals): Promise<void> {
    const untilMs = performance.now() + this.#durationMs;
    let toldMs = performance.now();
    while (performance.now() < untilMs && child.exitCode === null) {
      await sleep(lookMs);
      vitals.take();
      if (Math.random() < lookMs / killEveryMs) this.#killSomeone(child.pid ?? 0);
      if (performance.now() - toldMs < tellEveryMs) continue;
      toldMs = performance.now();
      const left = formatDuration(Math.max(0, untilMs - toldMs));
      const dumpBytes = formatBytes(statSync(join(this.#folder, "dump.traffic")).size);
      console.error(
        `${left} left: ${this.#kills} killed, dump ${dumpBytes}, plg holds ${vitals.toString()}`,
      );
    }
  }

  #killSomeone(plg: number): void {
    const keeper = this.#pids ? undefined : childrenOf(plg).find(isFirstInPidNamespace);
    if (keeper !== undefined) this.#pids = holdPidNamespace(keeper);
    if (this.#pids === undefined) return;
    const there = processesInPidNamespace(this.#pids.link).filter((one) => victims.test(one));
    const victim = there[Math.floor(Math.random() * there.length)];
    if (victim === undefined) return;
    try {
      process.kill(Number.parseInt(victim, 10), "SIGKILL");
      this.#kills++;
    } catch {
      // It has ended meanwhile.
    }
  }

  #check(exitCode: number | null): string[] {
    const problems: string[] = [];
    // 128 + SIGTERM: the run was ended from outside.
    if (exitCode !== 143) problems.push(`plg ended with ${exitCode}:\n${this.#output}`);
    if (this.#output.includes("OTHER BYTES")) problems.push("curl got other bytes than nginx sent");
    const left = this.#pids === undefined ? [] : processesInPidNamespace(this.#pids.link);
    this.#pids?.release();
    if (left.length > 0) problems.push(`processes are left: ${left.join("; ")}`);
    return problems;
  }

  #settle(vitals: Vitals): readonly string[] {
    const accounts = balance(
      join(this.#folder, "dump.traffic"),
      this.#load.ledgerPort,
      this.#load.ledgers,
    );
    console.log(`${describe(accounts)}; ${this.#kills} processes killed; ${vitals.summary()}`);
    return accounts.whole === 0 ? ["no connection came to its end"] : accounts.problems;
  }
}

function describe({ whole, bytes, cutOff, connections, dumpedBytes }: Accounts): string {
  return `${connections} connections and ${formatBytes(dumpedBytes)} in the dump; of ${whole} with ${formatBytes(bytes)} both ends have kept account, and ${cutOff} such were cut off`;
}

let failures = 0;
for (let leftMs = totalMs; leftMs > 0; leftMs -= roundMs) {
  const folder = mkdtempSync(join(tmpdir(), "plg-soak-"));
  chmodSync(folder, 0o755);
  try {
    const problems = await new Round(folder, Math.min(leftMs, roundMs)).run();
    for (const problem of problems) console.error(`FAILED: ${problem}`);
    failures += problems.length;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
console.log(
  failures === 0
    ? "soaked: bytes sent = dumped = received, nothing leaked"
    : `${failures} problems`,
);
process.exitCode = failures === 0 ? 0 : 1;
