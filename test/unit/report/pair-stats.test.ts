import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { PairFold, renderPairs } from "../../../src/report/pair-stats.ts";
import { decode, Recording, run } from "../dump/recording.ts";

test("bytes and answers are summed up for each pair, and latency is from question to answer", () => {
  const recording = new Recording();
  const stream = recording.connect(4, 1, 0);
  recording.event(stream, RecordKind.accept, Direction.toClient);
  for (const delayMs of [1, 2, 9]) {
    recording.atNs += 1e9;
    recording.data(stream, Direction.toServer, Buffer.from("ask"));
    recording.data(stream, Direction.toServer, Buffer.from("ing"));
    if (delayMs === 9) recording.event(stream, RecordKind.end, Direction.toServer);
    recording.atNs += delayMs * 1e6;
    recording.data(stream, Direction.toClient, Buffer.from("answer"));
    recording.data(stream, Direction.toClient, Buffer.from(" goes on"));
  }
  recording.connect(4, 2, 0);
  const fold = new PairFold(run);
  const { items } = decode(recording.finish().bytes);
  for (const item of items) if (item.type === "stream") fold.add(item);
  const pairs = fold.report();
  expect(pairs).toMatchObject([
    {
      client: "client",
      server: "server",
      serverPort: 80,
      connections: 1,
      bytesToServer: 18,
      bytesToClient: 42,
      answers: 3,
      latency: { medianNs: 2e6, p99Ns: 2e6, mostNs: 9e6 },
    },
    { client: "scout", connections: 1, answers: 0 },
  ]);
  expect(renderPairs(pairs)).toBe(
    "client → server:80: 1 connection, 18 B sent, 42 B received; 3 answers after 2.000 ms (median), 2.000 ms (99 %), 9.000 ms (longest)\n" +
      "scout → server:80: 1 connection, 0 B sent, 0 B received; no answer\n",
  );
});
