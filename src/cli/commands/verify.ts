/** `record --verify N`: replays the fresh dump and reports how faithfully it replays. */
import { spawn } from "node:child_process";
import { ExitCode } from "../errors/exit-code.ts";
import { plural } from "../../base/text.ts";
import type { Verdict } from "../../report/outcome.ts";
import type { ConfigFlags } from "../options/config-options.ts";
import type { CommonFlags } from "../options/run-options.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** The part of a replay's `--json` output that is used here. */
interface ReplaySummary {
  readonly outcome: Verdict;
  readonly count: number;
  readonly durationMs: number;
  readonly byProcess: Readonly<Record<string, number>>;
}

/** Replays the dump `times` times in a row, each time in its own plg process. */
export async function verify(
  terminal: Terminal,
  flags: CommonFlags & ConfigFlags,
  times: number,
): Promise<ExitCode> {
  let faithful = 0;
  for (let time = 1; time <= times; time++) {
    const { exitCode, output } = await replayOnce(flags);
    const summary = readSummary(output);
    if (!summary) {
      terminal.warn(`verify ${time} of ${times}: the replay failed with exit code ${exitCode}`);
      return exitCode;
    }
    if (isFaithful(summary)) faithful++;
    terminal.info(`verify ${time} of ${times}: ${verdict(summary)}`);
  }
  terminal.info(`the recording replays without a difference ${faithful} times of ${times}`);
  return faithful === times ? ExitCode.ok : ExitCode.replayDiffers;
}

/**
 * Whether the replay matched. A command may fail if it failed in the recording; otherwise its
 * failure is a difference.
 */
function isFaithful({ outcome, count }: ReplaySummary): boolean {
  return outcome !== "interrupted" && count === 0;
}

function verdict({ outcome, count, byProcess }: ReplaySummary): string {
  if (outcome === "interrupted") return "cut off";
  if (count === 0) return "no difference";
  const who = Object.entries(byProcess).map(([name, differences]) => `${name} ${differences}`);
  return `${plural(count, "difference")} (${who.join(", ")})`;
}

/** Replays the dump in its own plg process. */
function replayOnce(flags: CommonFlags & ConfigFlags): Promise<ReplayRun> {
  return runPlg(replayArguments(flags));
}

/** The arguments of the plg that replays the fresh dump. */
export function replayArguments(flags: CommonFlags & ConfigFlags): string[] {
  const { config } = flags;
  const source = typeof config === "string" ? ["--config", config] : ["--no-config"];
  const { file, uid, gid, newPrivs, kill, grace } = flags;
  const identity = [
    ...(uid ? ["--uid", uid] : []),
    ...(gid ? ["--gid", gid] : []),
    ...(newPrivs ? [] : ["--no-new-privs"]),
  ];
  const stopping = ["--kill", kill, "--grace", grace];
  return [
    "replay",
    "-f",
    file,
    "--run-recorded",
    "--json",
    "--quiet",
    ...stopping,
    ...identity,
    ...source,
  ];
}

/** The exit code and the output of another plg. */
export interface ReplayRun {
  readonly exitCode: ExitCode;
  readonly output: string;
}

/** Runs plg with these arguments. Its standard error is passed through. */
export function runPlg(args: readonly string[]): Promise<ReplayRun> {
  const main = process.argv[1] ?? "";
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    child.once("close", (code) =>
      resolve({
        exitCode: (code ?? ExitCode.bug) as ExitCode,
        output: Buffer.concat(chunks).toString(),
      }),
    );
  });
}

function readSummary(output: string): ReplaySummary | undefined {
  try {
    return JSON.parse(output) as ReplaySummary;
  } catch {
    return undefined;
  }
}
