/** `plg record`, and the classic `plg --record`. */
import type { Command as Cli } from "commander";
import { linksOf } from "../../api/network.ts";
import { parseSubnets, type SubnetOptions } from "../options/subnet-options.ts";
import { UsageError } from "../../base/errors.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { formatBytes, formatDuration, plural } from "../../base/text.ts";
import { type RecordOptions, type RecordResult, RecordSession } from "../../record/session.ts";
import {
  type CommandLine,
  parseCommand,
  planTopology,
  type Topology,
} from "../../sandbox/network/topology.ts";
import type { OutputSink } from "../../sandbox/processes/command.ts";
import { attend } from "../terminal/attend.ts";
import { hasFailed, hooksFor } from "../terminal/command-ends.ts";
import { tellDrops } from "../terminal/drops.ts";
import { addLinkFlags, type LinkFlags, linkGrammar, tellLinks } from "../options/link-options.ts";
import { parseNeeds } from "../options/needs.ts";
import { parseReady } from "../options/ready.ts";
import { collectTlsKeys } from "./tls-keys.ts";
import { sealOf } from "../../api/own-recordings.ts";
import {
  addConfigFlags,
  type ConfigFlags,
  configuredRecord,
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
import { collect, parseCount, parseDuration, parseSize } from "../options/values.ts";
import { recordStatus } from "./record-status.ts";
import {
  describeRuns,
  exitCodeOf,
  type Keep,
  recordUntilFails,
  type UntilFails,
} from "./record-until-fails.ts";
import type { HeldOutput } from "../terminal/held-output.ts";
import { learnMasks } from "./learn.ts";
import { replayArguments, verify } from "./verify.ts";
import { toolVersion } from "../../api/version.ts";

interface RecordFlags extends CommonFlags, ConfigFlags, SubnetOptions, LinkFlags, SeedFlags {
  readonly waitListen?: string;
  readonly needs?: readonly string[];
  readonly ready?: readonly string[];
  readonly buffer?: string;
  readonly tlsKeys?: boolean;
  readonly force?: boolean;
  readonly verify?: string;
  readonly learn?: boolean;
  readonly untilFails?: string;
  readonly keep?: string;
  readonly classic?: boolean;
}

export function addRecord(program: Cli, setExitCode: (code: number) => void): void {
  const cli = program
    .command("record")
    .summary("run commands in network containers and record their traffic")
    .description(
      "Run commands, each in its own network container, and record the traffic between them",
    )
    .usage("[options] [name=]command...")
    .argument("[commands...]", "what /bin/sh -c runs, one argument for each container");
  addConfigFlags(addCommonFlags(cli, { file: "write the recording to this file" }));
  cli
    .option("--force", "replace a file that is not a recording")
    .option("--tls-keys", "collect the commands' TLS keys in FILE.keys, for Wireshark")
    .option("--verify <n>", "then replay the recording n times, and report how well it replays")
    .option("--learn", "with --verify: write masks for what varies to FILE.masks")
    .option("--until-fails <n>", "record again and again until a command fails, at most n times")
    .option("--keep <which>", "with --until-fails: keep the failed run, all, or the last")
    .optionsGroup("Network:")
    .option("-s, --subnet <cidr>", "number the containers from this subnet", "10.0.0.0/24")
    .option("--subnet6 <cidr>", "use this IPv6 subnet (default: derived from --subnet)")
    .option("--no-ipv6", "use IPv4 alone")
    .option(
      "--wait-listen <duration>",
      "hold connections to a port where nobody listens yet, at most this long",
    )
    .option(
      "--needs <name=server:port>",
      "start this container's command when the server listens on the port (repeatable)",
      collect,
    )
    .option(
      "--ready <name=check>",
      "hold connections to a container until this command succeeds in it, or /regex/ matches a line of its output (repeatable)",
      collect,
    )
    .option(
      "--buffer <size>",
      "limit the kernel's buffers of a connection (default: the machine's limit)",
    )
    .addOption(cli.createOption("--classic").hideHelp());
  addSeedFlags(addLinkFlags(cli), seedMeaning)
    .addHelpText("after", examples)
    .action(async (texts: string[], flags: RecordFlags) => {
      const given = await configuredRecord(texts, flags, cli);
      setExitCode(await record(given.texts, given.flags));
    });
}

const seedMeaning =
  "derive random bytes, and the losses and jitter of links, from this number (default: a fresh one)";

const examples = `
Containers:
  The first command has the subnet's first address (10.0.0.1), the second has
  10.0.0.2, and so on. Containers find each other by name. PLG_NAME,
  PLG_ADDRESS and PLG_PEERS are in the environment.
${linkGrammar}

Examples:
  $ plg record --wait-listen 5s --until client \\
      server='redis-server --bind 0.0.0.0 --protected-mode no' \\
      client='redis-cli -h server set greeting hello'
  $ plg record --until-fails 100 server=./server client='./test server'
  $ plg record --link 'client<->server: delay 40ms loss 1% rate 10mbit' \\
      server=./server client='./client server'
  $ plg --record -s 10.0.0.0/24 -f dump.traffic ./server './client 10.0.0.1'`;

async function record(texts: readonly string[], flags: RecordFlags): Promise<number> {
  const lines = texts.map((text): CommandLine =>
    flags.classic ? { command: text } : parseCommand(text),
  );
  const topology = planTopology(parseSubnets(flags), lines);
  const terminal = terminalFor(flags, topology.containers);
  tellConfig(terminal, flags);
  const times = flags.verify === undefined ? 0 : parseCount(flags.verify, "--verify", 1000);
  const keep = parseKeep(flags);
  if (flags.untilFails !== undefined && times > 0)
    throw new UsageError("--until-fails and --verify exclude each other");
  if (flags.learn === true && times === 0)
    throw new UsageError("--learn needs --verify N: masks are learned by replaying");
  if (flags.untilFails !== undefined) {
    const runs = parseCount(flags.untilFails, "--until-fails", 1_000_000);
    const optionsFor = ({ sink }: HeldOutput) => optionsOf(flags, topology, terminal, sink);
    return concludeRuns(
      terminal,
      await recordUntilFails(terminal, { runs, keep, optionsFor }),
      flags,
    );
  }
  const exitCode = await recordOnce(terminal, topology, flags);
  if (times === 0 || exitCode > ExitCode.commandFailed) return exitCode;
  const verdict = flags.learn
    ? await learnFresh(terminal, flags, times)
    : await verify(terminal, flags, times);
  return exitCode === ExitCode.ok ? verdict : exitCode;
}

/** Learns masks for the fresh dump. */
function learnFresh(terminal: Terminal, flags: RecordFlags, replays: number): Promise<ExitCode> {
  const args = [...replayArguments(flags), "--max-differences", "1000000"];
  return learnMasks(terminal, { replays, args, path: `${flags.file}.masks` });
}

function optionsOf(
  flags: RecordFlags,
  topology: Topology,
  terminal: Terminal,
  output: OutputSink,
): RecordOptions {
  const seed = parseSeed(flags);
  return {
    ...runOptions(flags, topology.containers, terminal),
    randomSeed: flags.seed === false ? undefined : seed,
    environment: flags.tlsKeys ? collectTlsKeys(flags.file, flags.uid) : undefined,
    output,
    topology,
    file: flags.file,
    force: flags.force === true,
    waitListenMs: parseDuration(flags.waitListen ?? "0", "--wait-listen"),
    needs: parseNeeds(flags, topology.containers),
    ready: parseReady(flags, topology.containers),
    links: linksOf(flags.link, topology.containers, seed, false),
    bufferBytes: flags.buffer === undefined ? undefined : parseBuffer(flags.buffer),
    toolVersion: toolVersion(),
    seal: sealOf(topology.containers),
  };
}

async function recordOnce(
  terminal: Terminal,
  topology: Topology,
  flags: RecordFlags,
): Promise<number> {
  const options = optionsOf(flags, topology, terminal, terminal);
  const hooks = hooksFor(terminal);
  const { result, interrupted } = await attend(
    terminal,
    () => RecordSession.prepare(options, hooks),
    recordStatus,
    (session) => {
      tellLinks(terminal, options.links);
      return session.run(hooks);
    },
  );
  if (result === undefined) return interrupted.exitCode;
  const exitCode = conclude(terminal, topology, flags, result);
  return interrupted?.exitCode ?? exitCode;
}

/** At least a page, the kernel's own minimum (tcp(7)); at most about a second's traffic. */
function parseBuffer(text: string): number {
  return parseSize(text, "--buffer", 4096, 1 << 30);
}

function parseKeep({ keep, untilFails }: RecordFlags): Keep {
  if (keep !== undefined && untilFails === undefined)
    throw new UsageError("--keep is for --until-fails");
  if (keep === undefined || keep === "failed") return "failed";
  if (keep === "all" || keep === "last") return keep;
  throw new UsageError(`--keep '${keep}' is not one of failed, all and last`);
}

function concludeRuns(terminal: Terminal, outcome: UntilFails, flags: RecordFlags): number {
  const { runs, hasFailed: failed, kept, result } = outcome;
  const exitCode = exitCodeOf(outcome);
  const summary = { runs, failed, kept, exitCode, ...result?.counts };
  if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
  if (result) tellDrops(terminal, result.counts);
  terminal.info(describeRuns(outcome));
  return exitCode;
}

function conclude(
  terminal: Terminal,
  topology: Topology,
  flags: RecordFlags,
  result: RecordResult,
): ExitCode {
  const { counts, dumpBytes, durationMs, ends, dumpError, previous, withdrawn } = result;
  if (flags.json) {
    const commands = topology.containers.map(({ name }, i) => ({ name, ...ends[i] }));
    const file = { file: flags.file, previous, withdrawn, dumpBytes, durationMs };
    process.stdout.write(
      `${JSON.stringify({ ...file, ...counts, commands, error: dumpError?.message })}\n`,
    );
  }
  terminal.info(describeResult(flags.file, result));
  tellDrops(terminal, counts);
  if (dumpError) throw dumpError;
  return ends.some(hasFailed) ? ExitCode.commandFailed : ExitCode.ok;
}

function describeResult(file: string, result: RecordResult): string {
  const { counts, dumpBytes, durationMs, previous, withdrawn } = result;
  if (withdrawn) return `no command could be started: ${file} stays as it was`;
  const what = `${plural(counts.connections, "connection")}, ${formatBytes(counts.bytes)}`;
  const where = `${file} (${formatBytes(dumpBytes)})`;
  const kept = previous === undefined ? "" : `; the recording before it is now ${previous}`;
  return `recorded ${what} in ${formatDuration(durationMs)} to ${where}${kept}`;
}
