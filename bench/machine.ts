/** What was measured, and on which machine: without that, figures mean little. */
import { spawnSync } from "node:child_process";
import { cpus, loadavg, release } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  /** The load before the first measurement. Well above 0 means that other programs were running. */
  readonly load: number;
  /** The commit that plg was built from, with a `+` if the tree has changes. */
  readonly commit: string;
  readonly date: string;
}

export function describeMachine(root: string): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? "unknown",
    cores: cores.length,
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
    commit: commitOf(root),
    date: new Date().toISOString().slice(0, 10),
  };
}

export function machineLine({ cpu, cores, kernel, node, load, commit, date }: Machine): string {
  return `${cpu}, ${cores} cores, Linux ${kernel}, Node ${node}, load ${load.toFixed(1)} at the start, plg ${commit}, ${date}`;
}

function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    spawnSync("git", ["-C", root, ...args], { encoding: "utf8" }).stdout?.trim() ?? "";
  const commit = git("rev-parse", "--short", "HEAD");
  if (commit === "") return "of no commit";
  return commit + (git("status", "--porcelain", "--", "src") === "" ? "" : "+");
}
