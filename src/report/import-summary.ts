/** Summarizes an import: the hosts, the repairs, and the missing parts. */
import { formatBytes, formatDuration, plural } from "../base/text.ts";
import type { Gap } from "../capture/track/half.ts";
import type { Findings } from "../capture/track/findings.ts";
import type { ImportResult } from "../capture/track/result.ts";
import type { TrackedEnd } from "../capture/track/sink.ts";

/** The most hosts and gaps that are listed; the rest are counted. */
const mostLines = 20;

/** Renders the summary. Its lines end in newlines. */
export function renderImport(result: ImportResult, output: string): string {
  return [
    headline(result, output),
    ...section("hosts", hostLines(result)),
    ...section("clocks", clockLines(result)),
    ...section("repaired", repairedLines(result.findings)),
    ...section("missing", missingLines(result)),
    ...section("left out", ignoredLines(result.findings)),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

/** The summary as JSON. */
export function importAsJson(result: ImportResult, output: string): Record<string, unknown> {
  const { findings } = result;
  return {
    file: output,
    containers: result.containers.map(({ name, addresses }) => ({ name, addresses })),
    connections: result.connections,
    bytes: result.bytes,
    packets: result.packets,
    frames: result.frames,
    durationNs: result.durationNs,
    complete: isComplete(result),
    repaired: findings.repaired,
    missing: {
      ...findings.missing,
      unreadableLinkTypes: [...findings.unreadableLinkTypes],
      truncatedCaptures: result.cut,
    },
    ignored: findings.ignored,
    gaps: findings.gaps.map((gap) => ({
      connection: gap.connection,
      client: addressOf(result, gap.client),
      server: addressOf(result, gap.server),
      direction: gap.isFromClient ? "to server" : "to client",
      offset: gap.offset,
      lengthBytes: gap.lengthBytes,
      reason: gap.reason,
    })),
    keys: result.keysFile,
    clocks: result.clocks.map(({ path, comparedWith, fit, bounds }) => ({
      path,
      comparedWith: comparedWith === undefined ? undefined : result.clocks[comparedWith]?.path,
      ...fit,
      bounds,
    })),
  };
}

/** Whether nothing that the captures imply is missing. */
export function isComplete({ findings, cut }: ImportResult): boolean {
  return findings.isComplete && cut.length === 0;
}

function headline(result: ImportResult, output: string): string {
  const { connections, packets, bytes, durationNs, containers, frames } = result;
  if (frames === 0) return `nothing to import: no packets; wrote an empty recording to ${output}`;
  if (containers.length === 0)
    return `nothing to import: no packet of a host in ${plural(frames, "frame")}; wrote an empty recording to ${output}`;
  const others = packets === 0 ? [] : [`${plural(packets, "packet")} other than TCP`];
  const streams =
    connections === 0
      ? "no TCP connection"
      : `${plural(connections, "connection")} ${bytes === 0 ? "without any data" : `with ${formatBytes(bytes)}`}`;
  const what = [plural(containers.length, "host"), streams, ...others].join(", ");
  const span = formatDuration(durationNs / 1e6);
  return `imported ${what} over ${span} to ${output} (${formatBytes(result.writtenBytes)})`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => `  ${(at === 0 ? title : "").padEnd(9)} ${line}`);
}

function hostLines({ containers }: ImportResult): string[] {
  const lines = containers
    .slice(0, mostLines)
    .map(({ name, addresses }) => `${name} (${addresses.slice(0, 4).join(", ")})`);
  return withRest(lines, containers.length, "host");
}

function clockLines({ clocks }: ImportResult): string[] {
  return clocks.slice(1).map(({ path, comparedWith, fit, bounds }) => {
    const reference = comparedWith === undefined ? undefined : clocks[comparedWith];
    if (fit === undefined || reference === undefined)
      return `${path} shares no connection with the others: its clock is taken as it is`;
    const { offsetNs, drift, toleranceNs } = fit;
    const direction = offsetNs < 0 ? "behind" : "ahead of";
    const exact = `${(Math.abs(toleranceNs) / 1e6).toFixed(3)} ms`;
    const certainty =
      toleranceNs < 0 ? `although packets contradict it by up to ${exact}` : `to within ${exact}`;
    const drifts = drift === 0 ? "" : ` and drifts by ${(drift * 1e6).toFixed(1)} ppm`;
    const seconds = (Math.abs(offsetNs) / 1e9).toFixed(6);
    return `${path} is ${seconds} s ${direction} ${reference.path}${drifts}, ${certainty} (${plural(bounds, "bound")})`;
  });
}

function withRest(lines: string[], total: number, noun: string): string[] {
  const left = total - lines.length;
  return left <= 0 ? lines : [...lines, `and ${plural(left, noun)} more`];
}

function repairedLines({ repaired }: Findings): string[] {
  const counts: readonly (readonly [number, string])[] = [
    [repaired.outOfOrder, "segment"],
    [repaired.retransmitted, "segment"],
    [repaired.overlapping, "segment"],
    [repaired.keepAlives, "keep-alive probe"],
    [repaired.withoutLength, "packet"],
    [repaired.defragmented, "fragmented packet"],
    [repaired.tunnelled, "packet"],
    [repaired.duplicates, "packet"],
    [repaired.refusedSynData, "SYN"],
    [repaired.payloadOnReset, "reset"],
    [repaired.urgent, "segment"],
    [repaired.withoutHandshake, "connection"],
  ];
  const words = [
    "put in order",
    "sent again or seen twice",
    "overlapping others: the first copy of each byte stands",
    "taken for what it is",
    "without a length (segmentation offload)",
    "put together",
    "taken out of a tunnel",
    "that two interfaces saw",
    "with data that the server did not take",
    "with a payload, which no process sees",
    "with an urgent byte, which stays in the stream",
    "without a handshake: taken from the first byte on",
  ];
  return counts.flatMap(([count, noun], at) =>
    count === 0 ? [] : [`${plural(count, noun)} ${words[at]}`],
  );
}

function missingLines(result: ImportResult): string[] {
  const { missing, gaps, unreadableLinkTypes } = result.findings;
  const lines = result.cut.map(
    ({ path, position, what }) => `the rest of ${path} from byte ${position} on: ${what}`,
  );
  lines.push(...gaps.slice(0, mostLines).map((gap) => gapLine(result, gap)));
  const left = missing.gaps - Math.min(gaps.length, mostLines);
  if (left > 0)
    lines.push(`and ${plural(left, "gap")} more, ${plural(missing.bytes, "byte")} in all`);
  const others: readonly (readonly [number, string, string])[] = [
    [missing.halves, "connection", "of which one direction was not captured"],
    [missing.excerpts, "connection", "that began before the capture and did not end in it"],
    [
      missing.predecessors,
      "connection",
      "on the same ports as a later one, of which only answers were captured",
    ],
    [
      missing.unreadableFrames,
      "frame",
      `of link type ${[...unreadableLinkTypes].join(", ")}, which plg cannot read`,
    ],
    [missing.cutPackets, "packet", "of which not the whole header or datagram was captured"],
    [missing.incompleteFragments, "fragmented packet", "of which a fragment was not captured"],
  ];
  for (const [count, noun, words] of others)
    if (count > 0) lines.push(`${plural(count, noun)} ${words}`);
  return lines;
}

function gapLine(result: ImportResult, gap: Gap): string {
  const { connection, client, server, offset, lengthBytes, reason } = gap;
  const from = gap.isFromClient ? "the client" : "the server";
  const ends = `${addressOf(result, client)} \u2192 ${addressOf(result, server)}`;
  return `connection ${connection} (${ends}): ${plural(lengthBytes, "byte")} of ${from} from byte ${offset} on, ${reason}`;
}

function addressOf({ addresses }: ImportResult, { host, port }: TrackedEnd): string {
  const address = addresses[host] ?? "";
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function ignoredLines({ ignored }: Findings): string[] {
  const counts: readonly (readonly [number, string, string])[] = [
    [ignored.notIp, "frame", "without an IP packet"],
    [ignored.withoutSender, "packet", "from hosts without an address"],
    [
      ignored.straySegments,
      "segment",
      "that no process received: after the end of its stream, outside its window, or in a SYN without an answer",
    ],
    [ignored.idleConnections, "connection", "of which nothing but acknowledgments was captured"],
  ];
  return counts.flatMap(([count, noun, words]) =>
    count === 0 ? [] : [`${plural(count, noun)} ${words}`],
  );
}
