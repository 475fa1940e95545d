/**
 * Compares what tshark, which knows nothing of plg, reads from a dump with what our decoder reads.
 */
import { tshark } from "../programs/dump.ts";
import type { Dumped } from "./check-dump.ts";

const columns = [
  "tcp.stream",
  "tcp.srcport",
  "tcp.len",
  "tcp.analysis.flags",
  "_ws.malformed",
  "frame.number",
  "_ws.col.Info",
];

/** Whatever protocol it may look like. */
const plainData = ["-d", "tcp.port==1-65535,data"];

/** One direction of a stream, as tshark has it. */
type Sums = Map<string, number>;

export async function checkWithTshark(path: string, dumped: readonly Dumped[]): Promise<string[]> {
  const options = columns.flatMap((name) => ["-e", name]);
  const text = await tshark(path, ...plainData, "-Y", "tcp", "-T", "fields", ...options);
  const lines = text.split("\n").filter((line) => line !== "");
  const problems: string[] = [];
  const sums: Sums = new Map();
  const streams = new Set<string>();
  for (const line of lines) {
    const [stream = "", from = "", length, flags, malformed, frame, info] = line.split("\t");
    streams.add(stream);
    sums.set(`${stream} ${from}`, (sums.get(`${stream} ${from}`) ?? 0) + Number(length));
    if ((flags && !isReuse(info)) || malformed)
      problems.push(`tshark complains of frame ${frame} of stream ${stream}: ${info}`);
  }
  if (streams.size !== dumped.length)
    problems.push(`tshark sees ${streams.size} streams, our decoder ${dumped.length}`);
  else problems.push(...compareSums(sums, dumped));
  return problems;
}

/** A client may use a port again, and tshark only says that it does. */
function isReuse(info = ""): boolean {
  return /^\[TCP Port numbers reused\] \d+ → \d+ \[SYN\]/.test(info);
}

/** Both number the connections by their first packets: tshark from 0. */
function compareSums(sums: Sums, dumped: readonly Dumped[]): string[] {
  return dumped.flatMap(({ number, clientPort, serverPort, streams }) =>
    (
      [
        [clientPort, streams.client],
        [serverPort, streams.server],
      ] as const
    ).flatMap(([port, { bytes }]) => {
      const seen = sums.get(`${number - 1} ${port}`) ?? 0;
      return seen === bytes
        ? []
        : [
            `tshark sees ${seen} bytes from port ${port} of stream ${number - 1}, our decoder ${bytes}`,
          ];
    }),
  );
}
