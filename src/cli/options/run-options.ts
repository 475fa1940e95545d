/** The common options of recording and replaying, and their translation for the sandbox. */
import type { Command as Cli } from "commander";
import { UsageError } from "../../base/errors.ts";
import type { RunOptions } from "../../sandbox/processes/run.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";
import { identityOf } from "../../api/identity.ts";
import { untilOf } from "../../api/settings.ts";
import { Terminal } from "../terminal/terminal.ts";
import { parseDuration, parseSignal } from "./values.ts";

export interface CommonFlags {
  readonly file: string;
  readonly uid?: string;
  readonly gid?: string;
  /** commander represents `--no-new-privs` as `false`. */
  readonly newPrivs: boolean;
  readonly kill: string;
  readonly grace: string;
  readonly until: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly nolog?: boolean;
  readonly raw?: boolean;
}

/** Adds the common options. `file` describes the command's use of the dump. */
export function addCommonFlags(cli: Cli, { file }: { readonly file: string }): Cli {
  return cli
    .option("-f, --file <path>", file, "dump.traffic")
    .optionsGroup("Output:")
    .option("--json", "print a machine-readable summary on standard output")
    .option("-q, --quiet", "show neither the commands' output nor progress (also --nolog)")
    .addOption(cli.createOption("--nolog").hideHelp())
    .option("--raw", "show the commands' output as it is, without names")
    .optionsGroup("Commands:")
    .option("-u, --uid <user>", "run commands as this user (name or number)")
    .option("-g, --gid <group>", "run commands as this group (name or number)")
    .option("--no-new-privs", "keep commands from gaining privileges, such as by sudo")
    .option(
      "--until <end>",
      "end the run when all commands have ended, the first, or one by its name",
      "all",
    )
    .option("-k, --kill <signal>", "stop commands with this signal", "TERM")
    .option("--grace <duration>", "kill commands this long after that signal", "5s")
    .optionsGroup("Options:");
}

export function terminalFor(
  flags: CommonFlags,
  containers: readonly { readonly name: string }[],
): Terminal {
  const quiet = flags.quiet === true || flags.nolog === true;
  if (quiet && flags.raw) throw new UsageError("--quiet and --raw exclude each other");
  return new Terminal({
    quiet,
    raw: flags.raw === true,
    resultOnStdout: flags.json === true,
    nameWidth: Math.max(0, ...containers.map(({ name }) => name.length)),
  });
}

export function runOptions(
  flags: CommonFlags,
  containers: readonly ContainerPlan[],
  output: Terminal,
): RunOptions {
  return {
    identity: identityOf({ user: flags.uid, group: flags.gid, noNewPrivileges: !flags.newPrivs }),
    until: untilOf(
      flags.until,
      containers.map(({ name }) => name),
    ),
    stopSignal: parseSignal(flags.kill),
    graceMs: parseDuration(flags.grace, "--grace"),
    output,
  };
}
