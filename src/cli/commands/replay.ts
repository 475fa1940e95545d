/** `plg replay`, and the classic `plg --replay`. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { Command as Cli } from "commander";
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import { printableJson } from "../../base/printable.ts";
import { formatBytes, formatDuration, plural } from "../../base/text.ts";
import { readRun } from "../../dump/store/reader.ts";
import type { Mask } from "../../replay/compare/masks.ts";
import type { Order, Release } from "../../replay/schedule/schedule.ts";
import { type ReplayResult, ReplaySession } from "../../replay/session.ts";
import { givenCommands, recordedTopology } from "../../replay/topology.ts";
import { readRecording, type Recording } from "../../recording/load/read-recording.ts";
import {
  type DifferenceView,
  renderDifferences,
  reportDifferences,
} from "../../report/differences.ts";
import { countOf, renderJunit } from "../../report/junit.ts";
import { type Outcome, outcomeOf, type ProcessFacts } from "../../report/outcome.ts";
import { type ContainerPlan, parseCommand, type Topology } from "../../sandbox/network/topology.ts";
import { attend, type Interruption } from "../terminal/attend.ts";
import { describeFailure, hasFailed, hooksFor } from "../terminal/command-ends.ts";
import { tellDrops } from "../terminal/drops.ts";
import { parseMask, parseMaskFile } from "../options/ignore.ts";
import { isOwnSeal } from "./own-recordings.ts";
import { writePage } from "./page.ts";
import { checkReport, markUnfinished, writeReport } from "./report-file.ts";
import { completenessOf, warnIfIncomplete } from "../terminal/incomplete.ts";
import { withProgress } from "../terminal/reading.ts";
import {
  addCommonFlags,
  type CommonFlags,
  runOptions,
  terminalFor,
} from "../options/run-options.ts";
import {
  addLinkFlags,
  type LinkFlags,
  linkGrammar,
  parseLinks,
  tellLinks,
} from "../options/link-options.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, parseCount, parseDuration, parsePositive } from "../options/values.ts";

interface ReplayFlags extends CommonFlags, LinkFlags {
  readonly only?: string;
  readonly speed?: string;
  readonly flood?: boolean;
  readonly order: string;
  readonly patience: string;
  readonly ignore: readonly string[];
  readonly ignoreFile?: string;
  /** commander's way to say `--no-compare`. */
  readonly compare: boolean;
  readonly all?: boolean;
  readonly maxDifferences: string;
  readonly junit?: string;
  readonly page?: string;
  readonly runRecorded?: boolean;
  readonly classic?: boolean;
  readonly subnet?: string;
}

export function addReplay(program: Cli, setExitCode: (code: number) => void): void {
  const cli = program
    .command("replay")
    .description("let a recorded run happen again, and tell where a process does otherwise")
    .argument(
      "[commands...]",
      "instead of the recorded ones: name=command, or one for each container",
    );
  addLinkFlags(addCommonFlags(cli))
    .option("--only <names>", "start only these (a,b,c); the others are played from the dump")
    .option("--speed <factor>", "not before the recorded gaps, divided by this, have passed")
    .option("--flood", "as fast as the processes take it, without waiting for what they send")
    .option("--order <scope>", "what is kept in order: process, connection or global", "process")
    .option("--patience <duration>", "how long something that does not come is waited for", "2s")
    .option("--ignore <mask>", "what may differ, as [name][:port]/regex/ (repeatable)", collect, [])
    .option("--ignore-file <path>", "a file of such masks, one a line")
    .option("--no-compare", "do not compare what the processes send")
    .option("--all", "show all differences of a process, not only its first divergence")
    .option("--max-differences <n>", "how many differences are told", "100")
    .option("--junit <path>", "write the result as JUnit XML")
    .option("--page <path>", "write a page that shows in a browser where it differed")
    .option("--run-recorded", "run the commands of a dump that somebody else recorded")
    .addOption(cli.createOption("-s, --subnet <cidr>").hideHelp())
    .addOption(cli.createOption("--classic").hideHelp())
    .addHelpText("after", examples)
    .action(async (texts: string[], flags: ReplayFlags) => setExitCode(await replay(texts, flags)));
}

const examples = `
Examples:
  $ plg replay -f dump.traffic                  everybody again, each against the recording
  $ plg replay --only server                    the server alone, under its recorded clients
  $ plg replay --only client --speed 1          a client alone, at the recorded pace
  $ plg replay client='./client --verbose'      with another command for one of them
  $ plg replay --ignore ':80/^Date: .*$/m'      dates in HTTP answers may differ
  $ plg replay --link 'client->*: loss 1%'      over a link that loses packets
  $ plg --replay -s 10.0.0.0/24 -f dump.traffic ./server './client 10.0.0.1'
${linkGrammar}`;

async function replay(texts: readonly string[], flags: ReplayFlags): Promise<number> {
  const schedule = {
    order: parseOrder(flags.order),
    release: parseRelease(flags),
    patienceMs: parseDuration(flags.patience, "--patience"),
  };
  checkReport(flags.file, "--junit", flags.junit);
  checkReport(flags.file, "--page", flags.page);
  const mostDifferences = parseCount(flags.maxDifferences, "--max-differences", 1e6);
  const terminal = terminalFor(flags, readRun(flags.file).containers);
  const readSinceMs = Date.now();
  const recording = await withProgress(flags.file, terminal, (onRead) =>
    readRecording(flags.file, onRead),
  );
  const completeness = await completenessOf(flags.file, recording.end, readSinceMs);
  const lines = texts.map((text) => (flags.classic ? { command: text } : parseCommand(text)));
  const given = givenCommands(recording, lines);
  const topology = recordedTopology(recording, given);
  checkSubnet(flags.subnet, topology);
  const live = parseOnly(flags.only, topology);
  refuseUnused(given, live, topology);
  const options = runOptions(flags, live, terminal);
  const masks = parseMasks(flags, topology);
  const links = parseLinks(flags, topology.containers, true);
  warnIfIncomplete(terminal, flags.file, { ...recording, completeness });
  const unasked = live.filter(({ index }) => given[index] === undefined);
  await confirmRecorded(recording, unasked, flags, terminal);
  if (flags.junit !== undefined) markUnfinished(flags.junit, flags.file, live);
  const hooks = hooksFor(terminal);
  const session = await ReplaySession.prepare(
    {
      ...options,
      recording,
      topology,
      live,
      schedule,
      masks,
      compare: flags.compare,
      mostDifferences,
      links,
    },
    hooks,
  );
  tellLinks(terminal, links);
  const status = statusOf(session, recording);
  const { result, interrupted } = await attend(terminal, session, status, () => session.run(hooks));
  return conclude(terminal, flags, live, result, interrupted);
}

function parseOrder(text: string): Order {
  if (text === "process" || text === "connection" || text === "global") return text;
  throw new UsageError(`--order '${text}' is not one of process, connection and global`);
}

function parseRelease({ speed, flood }: ReplayFlags): Release {
  if (flood && speed !== undefined) throw new UsageError("--speed and --flood exclude each other");
  if (flood) return { type: "flood" };
  if (speed === undefined) return { type: "causal" };
  return { type: "speed", factor: parsePositive(speed, "--speed", 1e6) };
}

function parseMasks({ ignore, ignoreFile }: ReplayFlags, { containers }: Topology): Mask[] {
  const names = containers.map(({ name }) => name);
  const masks = ignore.map((text) => parseMask(text, names));
  if (ignoreFile === undefined) return masks;
  try {
    return [...masks, ...parseMaskFile(readFileSync(ignoreFile, "utf8"), names, ignoreFile)];
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read --ignore-file ${ignoreFile}: ${(error as Error).message}`);
  }
}

function parseOnly(only: string | undefined, { containers }: Topology): readonly ContainerPlan[] {
  if (only === undefined) return containers;
  const names = only.split(",").map((name) => name.trim());
  const recorded = containers.map(({ name }) => name);
  for (const name of names)
    if (indexOfName(recorded, name) < 0)
      throw new UsageError(
        `--only '${name}': the recording has no such container (it has ${recorded.join(", ")})`,
      );
  return containers.filter(({ name }) => indexOfName(names, name) >= 0);
}

/** A command for a container that `--only` leaves out would never run. */
function refuseUnused(
  given: readonly (string | undefined)[],
  live: readonly ContainerPlan[],
  { containers }: Topology,
): void {
  for (const container of containers)
    if (given[container.index] !== undefined && !live.includes(container))
      throw new UsageError(
        `--only leaves out '${container.name}', but a command is given for it: add it to --only, or leave out the command`,
      );
}

/** The classic form names the subnet again; addresses are the recorded ones, so it must be the same. */
function checkSubnet(subnet: string | undefined, { subnets }: Topology): void {
  if (subnet === undefined || subnets.some((recorded) => recorded.toString() === subnet)) return;
  throw new UsageError(
    `the recording was made in ${subnets.join(" and ")}, not in ${subnet}: leave out -s`,
  );
}

/** Commands from a dump are run without asking only if this user recorded them: see own-recordings.ts. */
async function confirmRecorded(
  { path, index }: Recording,
  recorded: readonly ContainerPlan[],
  flags: ReplayFlags,
  terminal: Terminal,
): Promise<void> {
  if (recorded.length === 0) return;
  const { notes, containers, host } = index.run;
  const mayRun = flags.runRecorded === true || isOwnSeal(notes["seal"], containers);
  const tell = (text: string): void => (mayRun ? terminal.info(text) : terminal.warn(text));
  tell(mayRun ? "running the recorded commands:" : "the recorded commands:");
  for (const { name, command } of recorded) tell(`  ${name}: ${command}`);
  if (mayRun) return;
  if (process.stdin.isTTY && process.stderr.isTTY) {
    const prompt = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await prompt.question(
      "plg: somebody else recorded these commands. Run them? [y/N] ",
    );
    prompt.close();
    if (/^y(es)?$/i.test(answer.trim())) return;
  }
  throw new UsageError(
    `${path} was recorded by another user or on another machine (it says: on ${host}): give --run-recorded to run its commands, or give commands of your own`,
  );
}

function statusOf(session: ReplaySession, { index }: Recording): () => string {
  const startedMs = performance.now();
  return () => {
    const { played, total, differences, waitingFor } = session.progress();
    const percent = total === 0 ? 100 : Math.floor((100 * played) / total);
    const wait = waitingFor < 0 ? "" : `  waiting for ${describeEvent(index, waitingFor)}`;
    return `${formatDuration(performance.now() - startedMs)}  ${percent} % (${played} of ${plural(total, "event")})  ${plural(differences, "difference")}${wait}`;
  };
}

function describeEvent(index: Recording["index"], event: number): string {
  const name = (container: number): string => index.run.containers[container]?.name ?? "?";
  return `${name(index.sender(event))}, connection ${index.connection(event)}`;
}

function conclude(
  terminal: Terminal,
  flags: ReplayFlags,
  live: readonly ContainerPlan[],
  result: ReplayResult,
  interrupted: Interruption | undefined,
): number {
  const { differences, played, total, counts, durationMs } = result;
  const outcome = outcomeOf({
    processes: live.map(({ name }, i) => factsOf(name, result, i)),
    interrupted,
    played,
    total,
    compared: flags.compare,
  });
  if (flags.json) process.stdout.write(`${jsonOf(flags.file, live, result, outcome)}\n`);
  else process.stdout.write(renderDifferences(differences, viewOf(flags)));
  terminal.info(
    `replayed ${played} of ${plural(total, "event")}, ${formatBytes(counts.bytes)} in ${formatDuration(durationMs)}: ${outcome.text}`,
  );
  tellDrops(terminal, counts);
  // Last of all: what could not be written has been told.
  const junit = { name: flags.file, durationMs };
  if (flags.junit !== undefined)
    writeReport("--junit", flags.junit, renderJunit(junit, outcome, differences));
  if (flags.page !== undefined)
    writePage(flags.page, flags.file, "--page", { outcome, differences });
  return outcome.exitCode;
}

function viewOf({ all }: ReplayFlags): DifferenceView {
  return { all: all === true, toShowAll: "--all", toKeepMore: "--max-differences" };
}

function factsOf(name: string, { differences, ends }: ReplayResult, i: number): ProcessFacts {
  const end = ends[i];
  const failure = end && hasFailed(end) ? `the command ${describeFailure(end)}` : undefined;
  return { name, differences: countOf(differences, name), failure };
}

function jsonOf(
  file: string,
  live: readonly ContainerPlan[],
  { differences, played, total, counts, durationMs, ends }: ReplayResult,
  { verdict, exitCode }: Outcome,
): string {
  const { links, dropped } = counts;
  const commands = live.map(({ name }, i) => ({ name, ...ends[i] }));
  const summary = { file, outcome: verdict, exitCode, played, total, durationMs };
  return printableJson({
    ...summary,
    links,
    dropped,
    commands,
    ...reportDifferences(differences),
  });
}
