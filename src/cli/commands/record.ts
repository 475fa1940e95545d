/** `plg record`, and the classic `plg --record`. */
import type { Command as Cli } from "commander";
import { ExitCode } from "../../base/errors.ts";
import { formatBytes, formatDuration, formatRate, plural } from "../../base/text.ts";
import { type RecordResult, RecordSession } from "../../record/session.ts";
import {
  type CommandLine,
  parseCommand,
  planTopology,
  type Topology,
} from "../../sandbox/network/topology.ts";
import { attend } from "../terminal/attend.ts";
import { hasFailed, hooksFor } from "../terminal/command-ends.ts";
import { tellDrops } from "../terminal/drops.ts";
import {
  addLinkFlags,
  type LinkFlags,
  linkGrammar,
  parseLinks,
  tellLinks,
} from "../options/link-options.ts";
import { sealOf } from "./own-recordings.ts";
import {
  addCommonFlags,
  type CommonFlags,
  runOptions,
  terminalFor,
} from "../options/run-options.ts";
import { addSeedFlags, parseSeed, type SeedFlags } from "../options/seed-options.ts";
import type { Terminal } from "../terminal/terminal.ts";
import {
  parseCount,
  parseDuration,
  parseSize,
  parseSubnets,
  type SubnetOptions,
} from "../options/values.ts";
import { verify } from "./verify.ts";
import { toolVersion } from "../launch/version.ts";

interface RecordFlags extends CommonFlags, SubnetOptions, LinkFlags, SeedFlags {
  readonly waitListen?: string;
  readonly buffer?: string;
  readonly force?: boolean;
  readonly verify?: string;
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
    .argument("<commands...>", "what /bin/sh -c runs, one argument for each container");
  addCommonFlags(cli, { file: "write the recording to this file" });
  cli
    .option("--force", "replace a file that is not a recording")
    .option("--verify <n>", "then replay the recording n times, and report how well it replays")
    .optionsGroup("Network:")
    .option("-s, --subnet <cidr>", "number the containers from this subnet", "10.0.0.0/24")
    .option("--subnet6 <cidr>", "use this IPv6 subnet (default: derived from --subnet)")
    .option("--no-ipv6", "use IPv4 alone")
    .option(
      "--wait-listen <duration>",
      "hold connections to a port where nobody listens yet, at most this long",
    )
    .option(
      "--buffer <size>",
      "limit the kernel's buffers of a connection (default: the machine's limit)",
    )
    .addOption(cli.createOption("--classic").hideHelp());
  addSeedFlags(addLinkFlags(cli), seedMeaning)
    .addHelpText("after", examples)
    .action(async (texts: string[], flags: RecordFlags) => setExitCode(await record(texts, flags)));
}

const seedMeaning =
  "derive random bytes, and the losses and jitter of links, from this number (default: a fresh one)";

const examples = `
Containers:
  The first command has the subnet's first address (10.0.0.1), the second has 10.0.0.2, and so on.
  Containers find each other by name. PLG_NAME, PLG_ADDRESS and PLG_PEERS are in the environment.
${linkGrammar}

Examples:
  $ plg record server='redis-server --bind 0.0.0.0 --protected-mode no' \\
      client='redis-cli -h server set greeting hello' --wait-listen 5s --until client
  $ plg record --link 'client<->server: delay 40ms jitter 5ms loss 1% rate 10mbit' \\
      server=./server client='./client server'
  $ plg --record -s 10.0.0.0/24 -f dump.traffic ./server './client 10.0.0.1'`;

async function record(texts: readonly string[], flags: RecordFlags): Promise<number> {
  const lines = texts.map((text): CommandLine =>
    flags.classic ? { command: text } : parseCommand(text),
  );
  const topology = planTopology(parseSubnets(flags), lines);
  const times = flags.verify === undefined ? 0 : parseCount(flags.verify, "--verify", 1000);
  const seed = parseSeed(flags);
  const links = parseLinks(flags, topology.containers, seed, false);
  const terminal = terminalFor(flags, topology.containers);
  const hooks = hooksFor(terminal);
  const options = {
    ...runOptions(flags, topology.containers, terminal),
    randomSeed: flags.seed === false ? undefined : seed,
    topology,
    file: flags.file,
    force: flags.force === true,
    waitListenMs: parseDuration(flags.waitListen ?? "0", "--wait-listen"),
    links,
    bufferBytes: flags.buffer === undefined ? undefined : parseBuffer(flags.buffer),
    toolVersion: toolVersion(),
    seal: sealOf(topology.containers),
  };
  const { result, interrupted } = await attend(
    terminal,
    () => RecordSession.prepare(options, hooks),
    statusOf,
    (session) => {
      tellLinks(terminal, links);
      return session.run(hooks);
    },
  );
  if (result === undefined) return interrupted.exitCode;
  const exitCode = conclude(terminal, topology, flags, result);
  if (interrupted !== undefined) return interrupted.exitCode;
  if (times === 0) return exitCode;
  const verdict = await verify(terminal, flags, times);
  return exitCode === ExitCode.ok ? verdict : exitCode;
}

/** A page at least, as the kernel has it (tcp(7)); at most what holds the traffic of a second or so. */
function parseBuffer(text: string): number {
  return parseSize(text, "--buffer", 4096, 1 << 30);
}

function statusOf(session: RecordSession): () => string {
  const startedMs = performance.now();
  let last = { bytes: 0, atMs: startedMs };
  return () => {
    const nowMs = performance.now();
    const { connections, openConnections, bytes } = session.counts();
    const rate = ((bytes - last.bytes) * 1000) / Math.max(1, nowMs - last.atMs);
    last = { bytes, atMs: nowMs };
    return `${formatDuration(nowMs - startedMs)}  ${plural(connections, "connection")} (${openConnections} open)  ${formatBytes(bytes)}  ${formatRate(rate)}`;
  };
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
    process.stdout.write(
      `${JSON.stringify({ file: flags.file, previous, withdrawn, dumpBytes, durationMs, ...counts, commands, error: dumpError?.message })}\n`,
    );
  }
  const kept = previous === undefined ? "" : `; the recording before it is now ${previous}`;
  terminal.info(
    withdrawn
      ? `no command could be started: ${flags.file} stays as it was`
      : `recorded ${plural(counts.connections, "connection")}, ${formatBytes(counts.bytes)} in ${formatDuration(durationMs)} to ${flags.file} (${formatBytes(dumpBytes)})${kept}`,
  );
  tellDrops(terminal, counts);
  if (dumpError) throw dumpError;
  return ends.some(hasFailed) ? ExitCode.commandFailed : ExitCode.ok;
}
