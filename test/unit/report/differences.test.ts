import { expect, test } from "vitest";
import type { Difference, EndState, StreamName } from "../../../src/replay/findings/differences.ts";
import { DifferenceLog } from "../../../src/replay/findings/difference-log.ts";
import {
  describeDifference,
  renderDifferences,
  reportDifferences,
} from "../../../src/report/differences.ts";

const stream: StreamName = {
  process: "client",
  connection: 2,
  client: "client",
  clientPort: 40_002,
  server: "server",
  serverPort: 80,
  direction: "to server",
};

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

const otherBytes: Difference = {
  ...stream,
  kind: "bytes",
  offset: 11,
  before: `${hex("GET ")}....${hex("ndex.")}`,
  recorded: hex("html HTTP/1.1\r\n"),
  live: hex("hxml <HTTP/1.1>\r\n"),
  meanwhile: ["connection 1, client:40001 \u2192 server:80: has sent 3 of 5 bytes, got 0 of 6"],
};

const view = { all: false, toShowAll: "ALL", toKeepMore: "MORE", toMask: "MASK" };

function listOf(most: number, ...differences: Difference[]) {
  const log = new DifferenceLog(most);
  for (const difference of differences) log.add(difference);
  return log.list();
}

test("a familiar shape is named, with a mask to paste; a unit stands for the place", () => {
  const shape = { name: "a UUID (RFC 9562)", mask: "client:80/[\\da-f-]{36}/" };
  const [, , sentence, ...lines] = renderDifferences(
    listOf(9, { ...otherBytes, shape, unit: "stream 5, HEADERS, x-id" }),
    view,
  ).split("\n");
  expect(sentence).toContain("sent something else to server in stream 5, HEADERS, x-id (byte 11)");
  expect(lines.at(-3)).toBe(
    "  looks like a UUID (RFC 9562): mask it with MASK 'client:80/[\\da-f-]{36}/'",
  );
});

test("bytes are shown side by side, in hexadecimal and as text", () => {
  expect(renderDifferences(listOf(9, otherBytes), view)).toBe(
    `1 difference: client 1

client: connection 2 (client:40002 \u2192 server:80): sent other bytes to server from byte 11 on
           recorded                          | now
         0 47 45 54 20 .. .. 6e 64  GET ..nd | 47 45 54 20 .. .. 6e 64  GET ..nd
         8 65 78 2e                 ex.      | 65 78 2e                 ex.
  \u2260     11 68 74 6d 6c 20 48 54 54  html HTT | 68 78 6d 6c 20 3c 48 54  hxml <HT
  \u2260     19 50 2f 31 2e 31 0d 0a     P/1.1..  | 54 50 2f 31 2e 31 3e 0d  TP/1.1>.
  \u2260     27                                   | 0a                       .
  meanwhile connection 1, client:40001 \u2192 server:80: has sent 3 of 5 bytes, got 0 of 6
`,
  );
});

const unexpected = {
  process: "client",
  server: "server",
  serverPort: 80,
  family: 6,
  beforeEvent: 0,
} as const;

test("every difference is a sentence", () => {
  const half = { offset: 1, expectedBytes: 9 };
  const all: Difference[] = [
    { ...stream, kind: "extra-bytes", offset: 1, before: "61", live: "62" },
    { ...stream, kind: "missing-bytes", ...half },
    { ...stream, kind: "early-end", ...half },
    { ...stream, kind: "unexpected-end", ...half },
    { ...stream, kind: "unexpected-reset", ...half },
    { ...stream, kind: "missing-end", offset: 9 },
    { ...stream, kind: "missing-reset", offset: 9 },
    { ...stream, kind: "missing-connection" },
    { ...stream, kind: "no-answer" },
    { ...stream, kind: "refused-instead" },
    { ...stream, kind: "accepted-instead" },
    { ...stream, kind: "stuck", ...half },
    { ...stream, kind: "ambiguous-match", candidates: [2, 3, 5] },
  ];
  const about = "client: connection 2 (client:40002 \u2192 server:80): ";
  expect(all.map((one) => describeDifference(one).replace(about, ""))).toEqual([
    "went on sending to server after all 1 byte that were recorded",
    "had sent 1 of 9 bytes to server when patience ended",
    "ended what it sends to server after 1 of 9 bytes",
    "ended what it sends to server after 1 byte, while the recording goes on",
    "reset the connection after it had sent 1 of 9 bytes to server; in the recording it did not then",
    "did not end what it sends to server after 9 bytes, as it had",
    "did not reset the connection after 9 bytes, as it had",
    "was never opened",
    "neither accepted nor refused it",
    "refused it; in the recording it did not",
    "accepted it; in the recording it did not",
    "took 1 of 9 bytes from server when patience ended",
    "may as well be 3, 5: their first bytes did not tell",
  ]);
  const counts = [
    [0, 0],
    [2, 0],
    [0, 1],
    [2, 1],
  ] as const;
  expect(
    counts.map(([recordedConnections, otherFamilyConnections]) =>
      describeDifference({
        kind: "unexpected-connection",
        ...unexpected,
        recordedConnections,
        otherFamilyConnections,
      }),
    ),
  ).toEqual([
    "client: opened a connection to server:80; in the recording it had no connection there; it was refused",
    "client: opened a connection to server:80; in the recording it had 2 connections there, and no more; it was refused",
    "client: opened a connection to server:80; in the recording it had no connection there over IPv6, but 1 over IPv4; it was refused",
    "client: opened a connection to server:80; in the recording it had 2 connections there over IPv6, and no more; it was refused",
  ]);
});

test("of each stream the first difference is kept, up to the limit; the others count", () => {
  const missing = (connection: number, process: string): Difference => ({
    ...stream,
    process,
    connection,
    kind: "missing-end",
    offset: 1,
  });
  const early: Difference = { ...stream, kind: "early-end", offset: 1, expectedBytes: 2 };
  const note: Difference = { ...stream, kind: "ambiguous-match", candidates: [2, 3] };
  const list = listOf(2, otherBytes, early, note, missing(3, "a"), missing(4, "a"));
  expect(list.differences).toEqual([otherBytes, missing(3, "a")]);
  expect([list.count, list.byProcess, list.notes]).toEqual([3, { client: 1, a: 2 }, [note]]);
  const text = renderDifferences(list, view);
  expect(text).toMatch(/^3 differences: client 1, a 2\n\n/);
  expect(text).toMatch(/\n\nand 1 more \(.*\)\n\nnote: client: connection 2 /);
});

test("nothing to say is nothing, and a note alone is a line", () => {
  expect(renderDifferences(listOf(9), view)).toBe("");
  const note: Difference = { ...stream, kind: "ambiguous-match", candidates: [2, 3] };
  expect(renderDifferences(listOf(9, note), view)).toMatch(/^note: [^\n]*\n$/);
});

test("of each process the first divergence is shown, and its consequences on request", () => {
  const early: Difference = {
    ...stream,
    connection: 3,
    kind: "early-end",
    offset: 1,
    expectedBytes: 2,
  };
  const list = listOf(9, { ...otherBytes, isFirst: true }, early);
  const folded = renderDifferences(list, view);
  expect(folded).toMatch(/sent other bytes to server from byte 11 on \(first divergence\)\n/);
  expect(folded).toMatch(/\nclient: 1 consequence \(ALL shows them\)\n$/);
  expect(folded).not.toContain("ended what it sends");
  const whole = renderDifferences(list, { ...view, all: true });
  expect(whole).toContain("ended what it sends");
  expect(whole).not.toContain("consequence");
});

function end(recorded: EndState, now: EndState): string {
  return describeDifference({ kind: "command-end", process: "app", recorded, now });
}

test("how a command ended is told with both ends", () => {
  const stopped = { stopped: true };
  const zero = { exitCode: 0, stopped: false };
  expect(end(zero, { exitCode: 5, stopped: false })).toBe(
    "app: exited with 5; in the recording it exited with 0",
  );
  expect(end(zero, stopped)).toBe(
    "app: was still running when the replay was over; in the recording it exited with 0",
  );
  expect(end(stopped, { signal: "SIGSEGV", stopped: false })).toBe(
    "app: was ended by SIGSEGV; in the recording it ran until it was stopped",
  );
});

test("for programs each difference has its sentence, and is plain JSON", () => {
  const report = reportDifferences(listOf(9, otherBytes));
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(report.differences[0]).toMatchObject({
    kind: "bytes",
    offset: 11,
    text: expect.stringContaining("other bytes") as string,
  });
});

test("bytes that differ are painted, in rows of 80 columns at most", () => {
  const paint = {
    bad: (text: string) => `<${text}>`,
    good: (text: string) => `(${text})`,
    heading: (text: string) => text.toUpperCase(),
  };
  const far = { ...otherBytes, offset: 999_900 };
  const rows = renderDifferences(listOf(9, far), view).split("\n");
  for (const row of rows.slice(3, -2)) expect(row.length, row).toBeLessThanOrEqual(80);
  const painted = renderDifferences(listOf(9, otherBytes), { ...view, paint });
  expect(painted).toMatch(/^<1 difference: client 1>\n\nCLIENT: CONNECTION 2/);
  expect(painted).toContain("68 (74) 6d 6c 20 (48)");
  expect(painted).toContain("68 <78> 6d 6c 20 <3c>");
});
