/**
 * Runs a scenario plainly, under `plg record`, and under `plg replay`, and returns what is wrong.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { processesMarked } from "../programs/processes.ts";
import { PlainNetwork } from "../programs/plain-network.ts";
import { checkDump } from "./check-dump.ts";
import { checkWithTshark } from "./check-tshark.ts";
import { type Ended, runPlg } from "./command.ts";
import { programsOf } from "./parts.ts";
import { addressOf, nameOf, type Scenario } from "./scenario.ts";
import { stageOf, type Way } from "./ways.ts";

/** Something is wrong. */
export interface Finding {
  /** Where and what, in short: findings of one kind are taken for the same. */
  readonly kind: string;
  readonly text: string;
}

/** Where the actor is, and what runs it. */
export interface Stage {
  readonly python: string;
  readonly actor: string;
  /** What was run stays: the programs and the dump. */
  readonly isKept?: boolean;
}

const limitMs = 90_000;
/**
 * A replay that takes longer than this, and a few times as long as the recording, waits for what
 * does not come.
 */
const slowReplayMs = 8000;
const slowFactor = 5;
const leftoverMs = 2000;
const mostText = 1500;

export class Trial {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #folder: string;
  readonly #marker = randomUUID();
  #recordedMs = 0;

  constructor(scenario: Scenario, stage: Stage) {
    this.#scenario = scenario;
    this.#stage = stage;
    this.#folder = mkdtempSync(join(tmpdir(), "plg-e2e-fuzz-"));
    chmodSync(this.#folder, 0o755);
    for (const program of programsOf(scenario))
      writeFileSync(join(this.#folder, `${program.name}.json`), JSON.stringify(program));
  }

  close(): void {
    if (this.#stage.isKept) console.log(`seed ${this.#scenario.seed}: kept in ${this.#folder}`);
    else rmSync(this.#folder, { recursive: true, force: true });
  }

  /** On a network without plg: what is wrong here is the tester's own fault. */
  async runPlainly(): Promise<Finding[]> {
    const own = this.#ownFolder("plain");
    const hosts = this.#scenario.containers.map((_count, container) => [
      `${addressOf(container, 4)}/24`,
      `${addressOf(container, 6)}/64`,
    ]);
    const network = new PlainNetwork(hosts);
    try {
      const { python, actor } = this.#stage;
      const outputs = hosts.map(async (_addresses, container) =>
        network.run(container, python, ...actorArgs(actor, this.#program(container), own, "plain")),
      );
      const all = await Promise.race([
        Promise.all(outputs),
        sleep(limitMs, undefined, { ref: false }),
      ]);
      if (!all) return [{ kind: "plain: hangs", text: `it is not over after ${limitMs} ms` }];
      return all.flatMap((lines, container) =>
        lines.at(-1) === "done"
          ? []
          : [{ kind: "plain: program", text: `${nameOf(container)}: ${lines.join("; ")}` }],
      );
    } finally {
      network.close();
    }
  }

  async record(): Promise<Finding[]> {
    const { links, waitListenMs, seed } = this.#scenario;
    const args = [
      "record",
      ...(links.length > 0 ? [`--seed=${seed}`] : []),
      ...links.map((link) => `--link=${link}`),
      ...(waitListenMs > 0 ? [`--wait-listen=${waitListenMs}ms`] : []),
      ...this.#commands(),
    ];
    const run = await this.#plg(args);
    this.#recordedMs = run.durationMs;
    const findings = [...endFindings("record", run), ...(await this.#leftovers("record"))];
    return findings.length > 0 ? findings : this.#checkDump();
  }

  async replay(way: Way): Promise<Finding[]> {
    const stage = stageOf(way);
    // Live programs wait for each other again; those that are played are there.
    for (const container of way.live)
      rmSync(join(this.#folder, "record", `ready-${nameOf(container)}`), { force: true });
    const args = ["replay", "--json", "--run-recorded", ...way.args];
    const run = await this.#plg(args);
    const findings = [
      ...endFindings(stage, run, way.isStrict),
      ...(await this.#leftovers(stage)),
      ...this.#slowness(stage, run),
    ];
    if (findings.length > 0 || !way.isStrict) return findings;
    return way.live.flatMap((container) => {
      const name = nameOf(container);
      const isDone = new RegExp(`^${name} +\\| done$`, "m").test(run.stderr);
      return isDone
        ? []
        : [{ kind: `${stage}: program`, text: `${name} was not done: ${shortened(run.stderr)}` }];
    });
  }

  #slowness(stage: string, { durationMs }: Ended): Finding[] {
    // Those that keep the recorded times, or start when the others have, take as long as the
    // recording.
    if (durationMs < slowReplayMs + slowFactor * this.#recordedMs) return [];
    const [seconds, recorded] = [durationMs, this.#recordedMs].map((ms) => (ms / 1000).toFixed(1));
    return [{ kind: `${stage}: slow`, text: `it took ${seconds} s, the recording ${recorded} s` }];
  }

  async #checkDump(): Promise<Finding[]> {
    const path = join(this.#folder, "dump.traffic");
    try {
      const { connections, problems } = checkDump(this.#scenario, path);
      const complaints = await checkWithTshark(path, connections);
      return [...asFindings("record: dump", problems), ...asFindings("record: tshark", complaints)];
    } catch (error) {
      return [{ kind: "record: dump cannot be read", text: String(error) }];
    }
  }

  async #leftovers(stage: string): Promise<Finding[]> {
    const untilMs = performance.now() + leftoverMs;
    for (;;) {
      const left = processesMarked(`PLG_TEST=${this.#marker}`);
      if (left.length === 0) return [];
      if (performance.now() > untilMs)
        return [{ kind: `${stage}: leaves processes`, text: left.join("; ") }];
      await sleep(50);
    }
  }

  #plg(args: readonly string[]): Promise<Ended> {
    return runPlg(args, this.#folder, limitMs, this.#marker);
  }

  #commands(): string[] {
    const own = this.#ownFolder("record");
    const { python, actor } = this.#stage;
    return this.#scenario.containers.map((_count, container) => {
      const words = [python, ...actorArgs(actor, this.#program(container), own)];
      return `${nameOf(container)}=exec ${words.map((word) => `'${word}'`).join(" ")}`;
    });
  }

  #program(container: number): string {
    return join(this.#folder, `${nameOf(container)}.json`);
  }

  #ownFolder(name: string): string {
    const own = join(this.#folder, name);
    mkdirSync(own, { recursive: true });
    return own;
  }
}

/** Neither the user's packages nor the machine's: it starts sooner. */
function actorArgs(actor: string, ...args: readonly string[]): string[] {
  return ["-I", "-S", actor, ...args];
}

function asFindings(kind: string, problems: readonly string[]): Finding[] {
  return problems.length === 0 ? [] : [{ kind, text: shortened(problems.join("\n")) }];
}

const differs = 3;

function endFindings(stage: string, run: Ended, isStrict = true): Finding[] {
  const { exitCode, stdout, stderr } = run;
  if (exitCode === 0 || (exitCode === differs && !isStrict)) return [];
  const text = shortened(`${stderr}\n${differencesOf(stdout)}`);
  if (exitCode === undefined) return [{ kind: `${stage}: hangs`, text }];
  if (exitCode === differs) return [{ kind: `${stage}: differs`, text }];
  if (exitCode === 1) return isStrict ? [{ kind: `${stage}: program`, text }] : [];
  return [{ kind: `${stage}: exit code ${exitCode}`, text }];
}

/** What a replay's report says, without the rest. */
function differencesOf(stdout: string): string {
  if (!stdout.startsWith("{")) return stdout;
  const report = JSON.parse(stdout) as {
    readonly differences?: readonly { readonly text: string }[];
  };
  return (report.differences ?? []).map(({ text }) => text.split("\n")[0]).join("\n");
}

function isNews(line: string): boolean {
  return !/^plg: {3}\w+: exec |^plg: running the/.test(line);
}

function shortened(text: string): string {
  const lines = text.trim().split("\n").filter(isNews).join("\n");
  return lines.length > mostText ? `${lines.slice(0, mostText)}\n...` : lines;
}
