/** The command `plg`: arguments in, an exit code out. */
import { Command as Cli, CommanderError } from "commander";
import { ExitCode, PlgError } from "../base/errors.ts";
import { printable, printableLines } from "../base/printable.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addRecord } from "./record.ts";
import { addReplay } from "./replay.ts";
import { needsUserNamespace, runInUserNamespace } from "./rootless.ts";
import { addShow } from "./show.ts";
import { standardStreamsFlushed, watchStandardStreams } from "./standard-streams.ts";
import { toolVersion } from "./version.ts";
import { addView } from "./view.ts";

const about = `Runs commands, each in a network container of its own, records the TCP traffic between \
them into one file, and replays it later.`;

const classicForm = `
The classic form does the same as record and replay, and takes the same options:
  $ plg --record -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...
  $ plg --replay -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...

Exit codes: 0 all went well; 1 a command failed; 2 wrong usage; 3 the replay differed from the
recording; 4 this machine cannot run it; 5 the dump cannot be read; 70 a bug in plg; 128 + n signal n
ended the run early (Ctrl-C: 130).`;

function createProgram(setExitCode: (code: number) => void): Cli {
  const program = new Cli("plg")
    .description(about)
    .version(toolVersion(), "-V, --version")
    .addHelpText("after", classicForm)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError();
  addRecord(program, setExitCode);
  addReplay(program, setExitCode);
  addShow(program);
  addView(program);
  addDoctor(program, setExitCode);
  addDemo(program, setExitCode);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

/** `plg --record ...` is `plg record ...`, but for names: every argument is a whole command there. */
function modernized(args: readonly string[], subcommands: readonly string[]): string[] {
  if (args[0] !== undefined && subcommands.includes(args[0])) return [...args];
  const modes = ["--record", "--replay"].filter((mode) => args.includes(mode));
  if (modes.length === 2)
    throw new PlgError(ExitCode.usage, "--record and --replay exclude each other");
  const [mode] = modes;
  if (mode === undefined) return [...args];
  const rest = args.filter((_, i) => i !== args.indexOf(mode));
  return [mode.slice(2), "--classic", ...rest];
}

async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = createProgram((code) => {
    exitCode = code;
  });
  try {
    const names = program.commands.map((command) => command.name());
    const modern = modernized(args, names);
    if (needsUserNamespace(modern)) return await runInUserNamespace(args);
    await program.parseAsync(modern.length === 0 ? ["--help"] : modern, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error);
  }
}

/** Says what went wrong in one line; only a bug shows its stack. */
function report(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    const text = error.message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
    process.stderr.write(`plg: ${printable(text)}; 'plg --help' shows the usage\n`);
    return ExitCode.usage;
  }
  if (error instanceof PlgError) {
    process.stderr.write(`plg: ${printable(error.message.replaceAll(/\s*\n\s*/g, " "))}\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `plg: a bug in plg, please report it with what you ran:\n${printableLines(text, "")}\n`,
  );
  return ExitCode.bug;
}

watchStandardStreams();
process.exitCode = await main(process.argv.slice(2));
await standardStreamsFlushed();
// Threads that a failed start left behind do not keep the process alive.
process.exit();
