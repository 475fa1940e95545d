import { Direction } from "../../../src/base/direction.ts";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { renderConnections } from "../../../src/report/connection-table.ts";
import { ConnectionFold } from "../../../src/report/connections.ts";
import { decode, pattern, Recording, run } from "../dump/recording.ts";

const { toServer, toClient } = Direction;

function reportOf(recording: Recording): ReturnType<ConnectionFold["report"]> {
  const fold = new ConnectionFold(run);
  for (const item of decode(recording.finish().bytes).items) {
    if (item.type === "stream") fold.add(item);
  }
  return fold.report();
}

/** A connection that has come as far as `events`. */
function connection(recording: Recording, ...events: [number, Direction][]): void {
  const stream = recording.connect(4, 1, 0);
  for (const [kind, direction] of events) {
    recording.atNs += 1_000_000;
    if (kind === RecordKind.data) recording.data(stream, direction, pattern(20_000, 1));
    else recording.event(stream, kind as typeof RecordKind.accept, direction);
  }
}

test("each connection tells who, when, how much and how it ended", () => {
  const recording = new Recording();
  const { accept, data, end, refuse, reset } = RecordKind;
  connection(recording, [accept, toClient], [data, toServer], [end, toServer], [end, toClient]);
  connection(recording, [accept, toClient], [data, toClient], [end, toClient]);
  connection(recording, [accept, toClient], [end, toServer], [reset, toClient]);
  connection(recording, [reset, toServer]);
  connection(recording, [refuse, toClient]);
  connection(recording);
  const report = reportOf(recording);
  expect(report.connections.map((row) => row.ending)).toEqual([
    "closed",
    "open",
    "reset by server",
    "reset by client",
    "refused",
    "unanswered",
  ]);
  expect(report.totals).toEqual({ connections: 6, bytesToServer: 20_000, bytesToClient: 20_000 });
  expect(report.connections[1]).toEqual({
    number: 2,
    client: "client",
    clientPort: 40_000,
    server: "server",
    serverPort: 80,
    family: 4,
    startNs: 4_000_000,
    durationNs: 3_000_000,
    bytesToServer: 0,
    bytesToClient: 20_000,
    ending: "open",
  });
  expect(renderConnections(report)).toMatchInlineSnapshot(`
    "#  client           server          start      lasted     sent  received  ended
    1  client:40000  →  server:80  0.000000 s  0.004000 s  20.0 kB       0 B  closed
    2  client:40000  →  server:80  0.004000 s  0.003000 s      0 B   20.0 kB  open
    3  client:40000  →  server:80  0.007000 s  0.003000 s      0 B       0 B  reset by server
    4  client:40000  →  server:80  0.010000 s  0.001000 s      0 B       0 B  reset by client
    5  client:40000  →  server:80  0.011000 s  0.001000 s      0 B       0 B  refused
    6  client:40000  →  server:80  0.012000 s  0.000000 s      0 B       0 B  unanswered
       total                                               20.0 kB   20.0 kB
    "
  `);
});

test("a recording without connections says so", () => {
  expect(renderConnections(reportOf(new Recording()))).toBe("no connections\n");
});

/** Refused over IPv6 and accepted over IPv4 at once, as programs do that try both. */
function happyEyeballs(): ReturnType<ConnectionFold["report"]> {
  const recording = new Recording();
  const { accept, end, refuse } = RecordKind;
  for (let i = 0; i < 2; i++) {
    recording.event(recording.connect(6, 1, 0), refuse, toClient);
    recording.atNs += 1_000_000;
    connection(recording, [accept, toClient], [end, toServer], [end, toClient]);
  }
  recording.event(recording.connect(6, 1, 0), refuse, toClient);
  recording.atNs += 2_000_000_000;
  connection(recording, [accept, toClient]);
  return reportOf(recording);
}

test("an attempt that another one replaced at once is folded into it", () => {
  const report = happyEyeballs();
  expect(report.connections.map(({ replacedBy }) => replacedBy)).toEqual([
    2,
    undefined,
    4,
    undefined,
    undefined,
    undefined,
  ]);
  const folded = renderConnections(report, { toShowAll: "ALL" });
  expect(folded).toMatch(/^# +client +server +IP +start/);
  expect(folded).toMatch(/^2 .* v4 .* closed\n4 .* v4 .* closed\n5 .* v6 .* refused\n6 /m);
  expect(folded).toMatch(/\nand 2 attempts over the other IP version \(ALL lists them\)\n$/);
  const all = renderConnections(report, { all: true, toShowAll: "ALL" });
  expect(all).toMatch(/^1 .* v6 .* refused$/m);
  expect(all).not.toContain("ALL");
});

test("so is one that its client gave up without a word", () => {
  const recording = new Recording();
  const { accept, data, reset } = RecordKind;
  const given = recording.connect(6, 1, 0);
  recording.event(given, accept, toClient);
  recording.event(given, reset, toServer);
  connection(recording, [accept, toClient], [data, toServer], [reset, toServer]);
  expect(reportOf(recording).connections.map(({ replacedBy }) => replacedBy)).toEqual([
    2,
    undefined,
  ]);
});

test("the table fits into the columns that there are, as far as it can", () => {
  const report = happyEyeballs();
  const long = {
    ...report,
    connections: report.connections.map((row) => ({
      ...row,
      client: "integration-tests",
      server: "payment-gateway-emulator",
      bytesToServer: 123_456,
      ending: "reset by server" as const,
    })),
  };
  for (const columns of [80, 100, 120, 200]) {
    for (const line of renderConnections(long, { columns }).split("\n"))
      expect(line.length).toBeLessThanOrEqual(columns);
  }
  expect(renderConnections(long, { columns: 80 })).toMatch(/^2 +inte…\S*:40000 .* paym.*…\S*:80 /m);
  expect(renderConnections(long, { columns: 80 })).not.toContain("lasted");
  expect(renderConnections(long)).toContain("payment-gateway-emulator:80");
});
