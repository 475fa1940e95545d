/** `plg replay`, and the classic `plg --replay`. */
import type { Command as Cli } from "commander";
import { type ContainerIndex, type EventNumber, noEvent } from "../../base/ids.ts";
import { UsageError } from "../../base/errors.ts";
import { formatDuration, plural } from "../../base/text.ts";
import { readRun } from "../../dump/store/reader.ts";
import { readRecording, type Recording } from "../../recording/load/read-recording.ts";
import type { Order, Release, ScheduleOptions } from "../../replay/schedule/schedule.ts";
import { ReplaySession } from "../../replay/session.ts";
import { givenCommands, recordedTopology } from "../../replay/topology.ts";
import { type ContainerPlan, parseCommand, type Topology } from "../../sandbox/network/topology.ts";
import { takeDumpArgument } from "../options/dump-argument.ts";
import { addLinkFlags, type LinkFlags, linkGrammar, tellLinks } from "../options/link-options.ts";
import {
  addConfigFlags,
  type ConfigFlags,
  configuredReplay,
  tellConfig,
} from "../options/config-options.ts";
import {
  addCommonFlags,
  type CommonFlags,
  runOptions,
  terminalFor,
} from "../options/run-options.ts";
import { addSeedFlags, parseSeed, type SeedFlags } from "../options/seed-options.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, parseCount, parseDuration, parsePositive } from "../options/values.ts";
import { attend } from "../terminal/attend.ts";
import { hooksFor } from "../terminal/command-ends.ts";
import { completenessOf, warnIfIncomplete } from "../terminal/incomplete.ts";
import { withProgress } from "../terminal/reading.ts";
import { confirmRecorded } from "./confirm-recorded.ts";
import { learnMasks, type LearnOptions, withoutOption } from "./learn.ts";
import { liveContainers } from "../../api/live-containers.ts";
import { linksOf } from "../../api/network.ts";
import { sourcesOf } from "../../api/sources.ts";
import { readMasks } from "./masks.ts";
import { concludeReplay, type ReportFlags } from "./replay-conclusion.ts";
import { checkReport, markUnfinished } from "./report-file.ts";

interface ReplayFlags extends CommonFlags, ConfigFlags, LinkFlags, SeedFlags, ReportFlags {
  readonly file: string;
  readonly clock?: string;
  readonly only?: string;
  readonly speed?: string;
  readonly flood?: boolean;
  readonly order: string;
  readonly patience: string;
  readonly ignore?: readonly string[];
  readonly ignoreFile?: string;
  readonly learn?: string;
  readonly maxDifferences: string;
  readonly runRecorded?: boolean;
  readonly classic?: boolean;
  readonly subnet?: string;
}

export function addReplay(program: Cli, setExitCode: (code: number) => void): void {
  const cli = program
    .command("replay")
    .summary("replay a recording and report where processes behave differently")
    .description(
      "Replay a recording: start its commands again, play their peers from the dump, and report where a process behaves differently",
    )
    .usage("[options] [dump] [name=command...]")
    .argument("[arguments...]", "a dump, then commands to run instead of the recorded ones");
  addConfigFlags(addCommonFlags(cli, { file: "replay this dump" }));
  cli
    .option("--only <names>", "start only these containers (a,b,c); play the others from the dump")
    .option("--run-recorded", "run the commands of a dump that somebody else recorded")
    .optionsGroup("Order and time:")
    .option(
      "--order <scope>",
      "keep order within each process, each connection, or global",
      "process",
    )
    .option("--speed <factor>", "keep the recorded timing, sped up by this factor")
    .option(
      "--clock <source>",
      "show processes the recorded or the real time of day (default: recorded, if it is seeded)",
    )
    .option("--flood", "deliver as fast as processes accept it, without waiting for their answers")
    .option("--patience <duration>", "wait this long for something that does not come", "2s")
    .optionsGroup("Comparison:")
    .option(
      "--ignore <mask>",
      "mask what may differ, as [name][:port]/regex/ (repeatable)",
      collect,
    )
    .option("--ignore-file <path>", "read masks from this file, one per line")
    .option("--no-compare", "compare no bytes")
    .option(
      "--learn <n>",
      "add masks for what varies to --ignore-file, until n replays in a row show no difference",
    )
    .optionsGroup("Reports:")
    .option("--all", "show all differences of a process, not only its first divergence")
    .option("--max-differences <n>", "keep at most this many differences", "100")
    .option("--junit <path>", "write the result as JUnit XML")
    .option("--page <path>", "write a page that shows in a browser where it differed")
    .addOption(cli.createOption("-s, --subnet <cidr>").hideHelp())
    .addOption(cli.createOption("--classic").hideHelp());
  addSeedFlags(addLinkFlags(cli), "repeat the losses and jitter of links (default: random)")
    .addHelpText("after", examples)
    .action(async (texts: string[], flags: ReplayFlags) => {
      const given = await configuredReplay(texts, flags, cli);
      setExitCode(await replay(given.texts, given.flags));
    });
}

const examples = `
Examples:
  $ plg replay dump.traffic                 all commands, each by itself
  $ plg replay --only server                a server with its recorded clients
  $ plg replay --only client --speed 1      a client at the recorded pace
  $ plg replay client='./client --verbose'  another command for one container
  $ plg replay --ignore ':80/^Date: .*$/m'  mask dates in HTTP answers
  $ plg replay --link 'client->*: loss 1%'  over a link that loses packets
  $ plg --replay -s 10.0.0.0/24 -f dump.traffic ./server './client 10.0.0.1'
${linkGrammar}`;

async function replay(given: readonly string[], options: ReplayFlags): Promise<number> {
  const { dump, rest: texts } = takeDumpArgument(given, options);
  const flags = { ...options, file: dump };
  checkClock(flags.clock);
  const schedule = parseSchedule(flags);
  checkReports(flags);
  const mostDifferences = parseCount(flags.maxDifferences, "--max-differences", 1e6);
  const terminal = terminalFor(flags, readRun(flags.file).containers);
  tellConfig(terminal, flags);
  const readSinceMs = Date.now();
  const recording = await withProgress(flags.file, terminal, (onRead) =>
    readRecording(flags.file, onRead),
  );
  const completeness = await completenessOf(flags.file, recording.end, readSinceMs);
  const lines = texts.map((text) => (flags.classic ? { command: text } : parseCommand(text)));
  const commands = givenCommands(recording, lines);
  const topology = recordedTopology(recording, commands);
  checkSubnet(flags.subnet, topology);
  const live = liveOf(flags, { recording, topology, commands }, terminal);
  const run = runOptions(flags, live, terminal);
  const masks = readMasks(flags, topology.containers);
  if (typeof flags.seed === "string" && flags.link === undefined)
    throw new UsageError(
      "--seed picks what links lose, and random bytes follow from the recording's seed: give at least one --link",
    );
  const links = linksOf(flags.link, topology.containers, parseSeed(flags), true);
  warnIfIncomplete(terminal, flags.file, { ...recording, completeness });
  const unasked = live.filter(({ index }) => commands[index] === undefined);
  const declined = await confirmRecorded(recording, unasked, flags.runRecorded === true, terminal);
  if (declined) return declined.exitCode;
  if (flags.learn !== undefined) return learnMasks(terminal, learnOptions(flags, texts));
  if (flags.junit !== undefined) markUnfinished(flags.junit, flags.file, live);
  const hooks = hooksFor(terminal);
  const sources = sourcesOf(recording, clockAndSeed(flags), (text) => terminal.warn(text));
  const session = {
    ...run,
    ...sources,
    recording,
    topology,
    live,
    schedule,
    masks,
    compare: flags.compare,
    mostDifferences,
    links,
  };
  const { result, interrupted } = await attend(
    terminal,
    () => ReplaySession.prepare(session, hooks),
    (prepared) => statusOf(prepared, recording),
    (prepared) => {
      tellLinks(terminal, links);
      return prepared.run(hooks);
    },
  );
  if (result === undefined) return interrupted.exitCode;
  return concludeReplay(terminal, flags, live, result, interrupted);
}

/** The containers that run: those of `--only`, by default all. */
function liveOf(
  { only }: ReplayFlags,
  parts: Pick<Parameters<typeof liveContainers>[0], "recording" | "topology" | "commands">,
  terminal: Terminal,
): readonly ContainerPlan[] {
  return liveContainers({
    ...parts,
    caller: undefined,
    only: only?.split(",").map((name) => name.trim()),
    onWarning: (text) => terminal.warn(text),
  });
}

function clockAndSeed({ seed, clock }: ReplayFlags): Parameters<typeof sourcesOf>[1] {
  return {
    seed: seed === false ? false : undefined,
    recordedClock: clock === undefined ? undefined : clock === "recorded",
  };
}

function checkClock(text: string | undefined): void {
  if (text === undefined || text === "real" || text === "recorded") return;
  throw new UsageError(`--clock '${text}' is neither real nor recorded`);
}

function parseSchedule(flags: ReplayFlags): ScheduleOptions {
  return {
    order: parseOrder(flags.order),
    release: parseRelease(flags),
    patienceMs: parseDuration(flags.patience, "--patience"),
  };
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

function checkReports({ file, junit, page }: ReplayFlags): void {
  checkReport(file, "--junit", junit);
  checkReport(file, "--page", page);
}

/**
 * The options for learning masks: each replay of the recorded commands runs in its own plg process.
 */
function learnOptions(
  { learn: count = "", ignoreFile, config }: ReplayFlags,
  given: readonly string[],
): LearnOptions {
  const replays = parseCount(count, "--learn", 1000);
  if (ignoreFile === undefined)
    throw new UsageError("--learn needs --ignore-file PATH: masks are added to that file");
  if (given.length > 0 && typeof config !== "string")
    throw new UsageError("--learn replays the recorded commands unchanged: leave out the commands");
  const own = withoutOption(withoutOption(process.argv.slice(2), "--learn"), "--ignore-file");
  const args = [...own, "--run-recorded", "--json", "--quiet", "--max-differences", "1000000"];
  return { replays, args, path: ignoreFile };
}

/** The classic form repeats the subnet. Addresses are the recorded ones, so it must match. */
function checkSubnet(subnet: string | undefined, { subnets }: Topology): void {
  if (subnet === undefined || subnets.some((recorded) => recorded.toString() === subnet)) return;
  throw new UsageError(
    `the recording was made in ${subnets.join(" and ")}, not in ${subnet}: leave out -s`,
  );
}

function statusOf(session: ReplaySession, { index }: Recording): () => string {
  const startedMs = performance.now();
  return () => {
    const { played, total, differences, waitingFor } = session.progress();
    const percent = total === 0 ? 100 : Math.floor((100 * played) / total);
    const wait = waitingFor === noEvent ? "" : `  waiting for ${describeEvent(index, waitingFor)}`;
    return `${formatDuration(performance.now() - startedMs)}  ${percent} % (${played} of ${plural(total, "event")})  ${plural(differences, "difference")}${wait}`;
  };
}

function describeEvent(index: Recording["index"], event: EventNumber): string {
  const name = (container: ContainerIndex): string => index.run.containers[container]?.name ?? "?";
  return `${name(index.sender(event))}, connection ${index.connection(event)}`;
}
