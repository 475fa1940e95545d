/** The command line: takes arguments, returns an exit code. */
import { Command as Cli, CommanderError } from "commander";
import { PlgError, UsageError } from "../base/errors.ts";
import { ExitCode, exitCodeOf } from "./errors/exit-code.ts";
import { printable, printableLines } from "../base/printable.ts";
import { needsUserNamespace, runInUserNamespace } from "./launch/rootless.ts";
import { messageOf } from "./errors/advice.ts";
import { leaveInterrupts } from "./terminal/interrupt.ts";
import { toolVersion } from "../api/version.ts";

const about =
  "Record the traffic between commands that run in network containers, and replay it later";

const classicForm = `
Classic form, with the options of record and replay:
  $ plg --record -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...
  $ plg --replay -s 10.0.0.0/24 -f dump.traffic exe1 exe2 exe3 ...

Exit codes:
  0    success
  1    a command failed
  2    usage error
  3    the replay differed from the recording
  4    this machine cannot run it
  5    the dump cannot be read
  70   a bug in plg
  128+n  ended by signal n (Ctrl-C: 130)`;

type SetExitCode = (code: number) => void;

/**
 * The commands, in the order of the help. plg loads only the module of the command in use, to start
 * faster.
 */
const commands: ReadonlyMap<string, () => Promise<(cli: Cli, set: SetExitCode) => void>> = new Map([
  ["record", async () => (await import("./commands/record.ts")).addRecord],
  ["replay", async () => (await import("./commands/replay.ts")).addReplay],
  ["test", async () => (await import("./commands/test.ts")).addTest],
  ["init", async () => (await import("./commands/init.ts")).addInit],
  ["show", async () => (await import("./commands/show.ts")).addShow],
  ["diff", async () => (await import("./commands/diff.ts")).addDiff],
  ["export", async () => (await import("./commands/export.ts")).addExport],
  ["import", async () => (await import("./commands/import.ts")).addImport],
  ["view", async () => (await import("./commands/view.ts")).addView],
  ["doctor", async () => (await import("./commands/doctor.ts")).addDoctor],
  ["demo", async () => (await import("./commands/demo.ts")).addDemo],
  ["completion", async () => (await import("./commands/describe.ts")).addCompletion],
  ["man", async () => (await import("./commands/describe.ts")).addMan],
]);

/** These describe all the others. */
const describing: ReadonlySet<string> = new Set(["completion", "man"]);

/**
 * Creates the program with the called command alone. If there is none, all commands are added, for
 * the help and for spelling suggestions.
 */
async function createProgram(called: string | undefined, setExitCode: SetExitCode): Promise<Cli> {
  const program = new Cli("plg")
    .description(about)
    .usage("<command> [options]")
    .version(toolVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .addHelpText("after", classicForm)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .showSuggestionAfterError();
  const one = called === undefined || describing.has(called) ? undefined : commands.get(called);
  const loading = (one ? [one] : [...commands.values()]).map((load) => load());
  for (const add of await Promise.all(loading)) add(program, setExitCode);
  for (const command of program.commands) command.copyInheritedSettings(program);
  return program;
}

/**
 * Translates `plg --record ...` to `plg record ...`. In the classic form arguments have no names:
 * each is a whole command.
 */
function modernized(args: readonly string[]): string[] {
  if (args[0] !== undefined && commands.has(args[0])) return [...args];
  const modes = ["--record", "--replay"].filter((mode) => args.includes(mode));
  if (modes.length === 2) throw new UsageError("--record and --replay exclude each other");
  const [mode] = modes;
  if (mode === undefined) return [...args];
  const rest = args.filter((_, i) => i !== args.indexOf(mode));
  return [mode.slice(2), "--classic", ...rest];
}

/** Runs plg with these arguments and returns its exit code. Never throws. */
export async function main(args: readonly string[]): Promise<number> {
  let exitCode: number = ExitCode.ok;
  let called: string | undefined;
  try {
    const modern = modernized(args);
    [called] = modern;
    if (needsUserNamespace(modern)) {
      leaveInterrupts();
      return await runInUserNamespace(args);
    }
    const program = await createProgram(called, (code) => {
      exitCode = code;
    });
    await program.parseAsync(modern.length === 0 ? ["--help"] : modern, { from: "user" });
    return exitCode;
  } catch (error) {
    return report(error, args, called);
  }
}

/** Reports an error in one line. Only bugs show a stack. */
function report(error: unknown, args: readonly string[], called: string | undefined): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return ExitCode.ok;
    process.stderr.write(`plg: ${printable(describeMisuse(error, args, called))}\n`);
    return ExitCode.usage;
  }
  if (error instanceof PlgError) {
    process.stderr.write(`plg: ${printable(messageOf(error, called))}\n`);
    return exitCodeOf(error);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `plg: a bug in plg, please report it with what you ran:\n${printableLines(text, "")}\n`,
  );
  return ExitCode.bug;
}

/** Describes commander's error, and where to find help. */
function describeMisuse(
  { message }: CommanderError,
  args: readonly string[],
  called: string | undefined,
): string {
  const text = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  if (called === undefined || !commands.has(called)) return `${text}; see 'plg --help'`;
  const [, option] = /^unknown option '([^']+)'/.exec(text) ?? [];
  const before = args[args.findIndex((arg) => arg === option) - 1];
  if (option === undefined || before === undefined || before === called || before.startsWith("-"))
    return `${text}; see 'plg ${called} --help'`;
  return `${text}; if it is part of a command, quote the whole command: '${before} ${option} ...'`;
}
