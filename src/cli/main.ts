/** The command `plg`: arguments in, an exit code out. */
import { Command as Cli, CommanderError } from "commander";
import { ExitCode, PlgError } from "../base/errors.ts";
import { printable, printableLines } from "../base/printable.ts";
import { needsUserNamespace, runInUserNamespace } from "./launch/rootless.ts";
import { messageOf } from "./terminal/advice.ts";
import { standardStreamsFlushed, watchStandardStreams } from "./launch/standard-streams.ts";
import { toolVersion } from "./launch/version.ts";

const about = `Runs commands, each in a network container of its own, records the TCP traffic between \
them into one file, and replays it later.`;

const classicForm = `
The classic form does the same as record and replay, and takes the same options:
  $ plg --record -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...
  $ plg --replay -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...

Exit codes: 0 all went well; 1 a command failed; 2 wrong usage; 3 the replay differed from the
recording; 4 this machine cannot run it; 5 the dump cannot be read; 70 a bug in plg; 128 + n signal n
ended the run early (Ctrl-C: 130).`;

type SetExitCode = (code: number) => void;

/** The commands, in the order of the help. The module of the one that is called is loaded, and no other, so that plg starts sooner. */
const commands: ReadonlyMap<string, () => Promise<(cli: Cli, set: SetExitCode) => void>> = new Map([
  ["record", async () => (await import("./commands/record.ts")).addRecord],
  ["replay", async () => (await import("./commands/replay.ts")).addReplay],
  ["show", async () => (await import("./commands/show.ts")).addShow],
  ["view", async () => (await import("./commands/view.ts")).addView],
  ["doctor", async () => (await import("./commands/doctor.ts")).addDoctor],
  ["demo", async () => (await import("./commands/demo.ts")).addDemo],
]);

/** With the command that is called alone, or with all where none is: for the help, and for what is misspelled. */
async function createProgram(called: string | undefined, setExitCode: SetExitCode): Promise<Cli> {
  const program = new Cli("plg")
    .description(about)
    .version(toolVersion(), "-V, --version")
    .addHelpText("after", classicForm)
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError();
  const one = called === undefined ? undefined : commands.get(called);
  const loading = (one ? [one] : [...commands.values()]).map((load) => load());
  for (const add of await Promise.all(loading)) add(program, setExitCode);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

/** `plg --record ...` is `plg record ...`, but for names: every argument is a whole command there. */
function modernized(args: readonly string[]): string[] {
  if (args[0] !== undefined && commands.has(args[0])) return [...args];
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
  try {
    const modern = modernized(args);
    if (needsUserNamespace(modern)) return await runInUserNamespace(args);
    const program = await createProgram(modern[0], (code) => {
      exitCode = code;
    });
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
    process.stderr.write(`plg: ${printable(messageOf(error))}\n`);
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
