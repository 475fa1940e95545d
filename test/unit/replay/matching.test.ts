import { endOf } from "../../../src/base/ids.ts";
import { Direction } from "../../../src/base/direction.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { Matching, type PendingMatch } from "../../../src/replay/match/matching.ts";
import { Done, Progress } from "../../../src/replay/progress/progress.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import { liveAttempt, record, TestRecording } from "./recording.ts";

type Recorded = ReturnType<typeof record>;

/** A live client that opens connections to server:80, and what becomes of them. */
class Client {
  readonly progress: Progress;
  readonly matching: Matching;
  readonly notes: Difference[] = [];
  readonly #index: RecordingIndex;

  constructor({ index, read }: Recorded) {
    this.#index = index;
    this.progress = new Progress(index);
    this.matching = new Matching(index, this.progress, read, (note) => this.notes.push(note));
  }

  /** The number of the matched connection, what is pending, or that it is refused. */
  open(windowEnd = this.#index.eventCount, clientPort?: number): number | PendingMatch | "none" {
    const attempt = liveAttempt(clientPort);
    const match = this.matching.attempt(attempt, windowEnd);
    if (match.type === "none") return "none";
    return match.type === "matched" ? match.connection : match.pending;
  }

  pending(windowEnd?: number): PendingMatch {
    const match = this.open(windowEnd);
    if (typeof match !== "object") throw new Error(`not pending: ${match}`);
    return match;
  }
}

function send(pending: PendingMatch, text: string): number | undefined {
  return pending.push(Buffer.from(`?${text}`), 1, text.length);
}

/** Connections opened at once, each with one of these openings; a null was refused. */
function openings(...texts: (string | null)[]): Recorded {
  const recording = new TestRecording();
  for (const text of texts) {
    const number = recording.connect(0, 1, 0, 80);
    const kind = text === null ? RecordKind.refuse : RecordKind.accept;
    recording.event(0, number, kind, Direction.toClient);
  }
  texts.forEach((text, i) => {
    if (text) recording.event(1, i + 1, RecordKind.data, Direction.toServer, Buffer.from(text));
  });
  return { index: recording.finish(), read: recording.read };
}

test("where nothing tells connections apart, order does", () => {
  const client = new Client(openings("same", "same", "same"));
  expect([client.open(), client.open(), client.open(), client.open()]).toEqual([1, 2, 3, "none"]);
  expect(client.notes).toMatchObject([
    { kind: "unexpected-connection", server: "server", serverPort: 80, recordedConnections: 3 },
  ]);
});

/** From these ports, in this order; 0 is one that the kernel chose. */
function fromPorts(...ports: number[]): Recorded {
  const recording = new TestRecording();
  for (const port of ports) {
    const number = recording.connect(0, 1, 0, 80, 4, port === 0 ? undefined : port);
    recording.event(0, number, RecordKind.accept, Direction.toClient);
    recording.event(1, number, RecordKind.data, Direction.toClient, Buffer.from("welcome"));
  }
  return { index: recording.finish(), read: recording.read };
}

test("a port that the program chose says which connection it is", () => {
  const client = new Client(fromPorts(3000, 3001, 0, 3000, 3002));
  const ports = [3002, 50_000, 3000, 3001, 3000];
  expect(ports.map((port) => client.open(undefined, port))).toEqual([5, 3, 1, 2, 4]);
});

test("a program that chooses other ports than then has its connections in order", () => {
  const client = new Client(fromPorts(1023, 1022, 0));
  const ports = [1020, 50_000, 1019, 1018];
  expect(ports.map((port) => client.open(undefined, port))).toEqual([1, 3, 2, "none"]);
  expect(client.notes).toMatchObject([{ kind: "unexpected-connection", recordedConnections: 3 }]);
});

test("connections to elsewhere are no candidates", () => {
  const recorded = record(`
    0 1 connect client server:81
    0 2 connect other server:80
    0 3 connect client other:80
  `);
  expect(new Client(recorded).open()).toBe("none");
});

test("the first bytes tell, as soon as they do", () => {
  const client = new Client(openings("GET /a", "GET /b", "PUT /c"));
  const [one, two, three] = [client.pending(), client.pending(), client.pending()];
  expect(client.matching.pendingOf(1)).toEqual([one, two, three]);
  expect(send(one, "P")).toBe(3);
  expect(send(two, "GET ")).toBeUndefined();
  expect(send(two, "/b and more")).toBe(2);
  expect(send(three, "G")).toBe(1);
  expect(client.matching.pendingOf(1)).toEqual([]);
  expect(client.notes).toEqual([]);
});

test("no more connections are kept pending than there are", () => {
  const client = new Client(openings("a", "b"));
  const one = client.pending();
  const two = client.pending();
  expect(client.open()).toBe("none");
  expect([send(one, "b"), send(two, "b")]).toEqual([2, 1]);
});

test("bytes that fit none: the first of those that fitted until then", () => {
  const client = new Client(openings("PUT /x", "GET /ab", "GET /ac", "GET /b"));
  expect(send(client.pending(), "GET /ax")).toBe(2);
  expect(send(client.pending(), "xxx")).toBe(1);
  expect(client.notes).toEqual([]);
});

test("an opening that is a part of another", () => {
  const client = new Client(openings("AB", "A", "ABC", ""));
  const quiet = client.pending();
  expect(send(quiet, "A")).toBeUndefined();
  expect(quiet.settle()).toBe(2);
  const longer = client.pending();
  expect(send(longer, "ABC")).toBe(3);
  const whole = client.pending();
  expect(send(whole, "ABX")).toBe(1);
  expect(client.open()).toBe(4);
  expect(client.notes).toEqual([]);
});

test("silence decides nothing while the next in order opened with bytes", () => {
  const client = new Client(openings("hello", ""));
  const [one, two] = [client.pending(), client.pending()];
  expect([one.kept, two.kept]).toEqual([1, 2]);
  expect([one.canSettle, one.settle()]).toEqual([false, undefined]);
  expect(two.settle()).toBe(2);
  expect(send(one, "h")).toBe(1);
});

test("if the server speaks first, the order of opening decides", () => {
  const client = new Client(openings("hello", "", "hello"));
  const [one, two, three] = [client.pending(), client.pending(), client.pending()];
  expect(client.matching.pendingFor(2)).toBe(two);
  expect(two.decideFor(2)).toBe(2);
  expect(send(three, "h")).toBe(3);
  expect(one.kept).toBe(1);
});

test("if the next in order has spoken, the server speaks to one that has not", () => {
  const client = new Client(openings("hello", "", "help"));
  const [one, two] = [client.pending(), client.pending()];
  expect(send(two, "hel")).toBeUndefined();
  expect(client.matching.pendingFor(2)).toBe(one);
  expect(one.decideFor(2)).toBe(2);
  expect([two.kept, send(two, "p")]).toEqual([1, 3]);
});

test("a connection that is opened early, and kept for a client, is expected like those before it", () => {
  const client = new Client(openings("abc", "a", "x"));
  const [one, two] = [client.pending(), client.pending(1)];
  expect(send(two, "a")).toBeUndefined();
  expect(two.settle()).toBe(2);
  expect(send(one, "abc")).toBe(1);
  expect(client.notes).toEqual([]);
});

test("of connections that open alike, each is the one in whose order it opened", () => {
  const client = new Client(openings("a", "a", "b"));
  const [one, two] = [client.pending(), client.pending()];
  expect([send(two, "a"), send(one, "a")]).toEqual([2, 1]);
});

test("a client that pauses where it paused then is the one that is expected, by its order", () => {
  const client = new Client(
    record(`
      0 1 connect client server:80
      0 1 accept
      0 2 connect client server:80
      0 2 accept
      1 1 client "a"
      2 2 client "a"
      3 1 client "b"
    `),
  );
  const [one, two] = [client.pending(), client.pending()];
  expect([send(one, "a"), one.settle()]).toEqual([undefined, 1]);
  expect([send(two, "a") ?? two.settle()]).toEqual([2]);
});

/** Both sides speak at once on connection 2, where the server happened to be the first. */
function bothAtOnce(): Recorded {
  return record(`
    0 1 connect client server:80
    0 1 accept
    0 2 connect client server:80
    0 2 accept
    1 2 server "welcome"
    2 2 client "ab"
    3 1 client "axy"
    3 2 client "cd"
  `);
}

test("where the recorded server was faster, what its client sends next still fits", () => {
  const client = new Client(bothAtOnce());
  const [one, two] = [client.pending(), client.pending()];
  expect([send(two, "a"), send(two, "b")]).toEqual([undefined, 2]);
  expect(send(one, "a")).toBe(1);
});

test("such a client is the one that the server speaks to, and by its order where nothing tells", () => {
  const client = new Client(bothAtOnce());
  const [, two] = [client.pending(), client.pending()];
  expect(send(two, "a")).toBeUndefined();
  expect(client.matching.pendingFor(2)).toBe(two);
  expect(two.settle()).toBe(2);
});

test("what it does not send then says which other connection it is", () => {
  const client = new Client(bothAtOnce());
  const [one, two] = [client.pending(), client.pending()];
  expect([send(two, "a"), send(two, "x")]).toEqual([undefined, 1]);
  expect(client.matching.pendingFor(2)).toBe(one);
});

test("a connection that is kept counts as opened until another is identified as it", () => {
  const client = new Client(openings("a", "b", "c"));
  const one = client.pending();
  client.progress.mark(endOf(1, Direction.toServer), Done.opened);
  expect(send(one, "c")).toBe(3);
  expect(client.progress.has(endOf(1, Direction.toServer), Done.opened)).toBe(false);
});

test("when it cannot be told, that is noted", () => {
  const client = new Client(openings("GET /a", "GET /b", "PUT"));
  const pending = client.pending();
  expect(send(pending, "GET ")).toBeUndefined();
  expect(pending.settle()).toBe(1);
  expect(client.notes).toMatchObject([
    { kind: "ambiguous-match", connection: 1, candidates: [1, 2], process: "client" },
  ]);
});

test("where the next one was refused, order decides, and others may be pending", () => {
  const beforeRefusal = 4;
  const client = new Client(openings("early", "soon", null, "late"));
  const first = client.pending(beforeRefusal);
  expect(client.open(beforeRefusal)).toBe(2);
  expect(client.open(beforeRefusal)).toBe(3);
  expect(send(first, "early")).toBe(1);
  expect(client.open()).toBe(4);
});

test("while some are refused, order decides", () => {
  const client = new Client(openings(null, null, "a", "b"));
  expect([client.open(), client.open()]).toEqual([1, 2]);
  expect(send(client.pending(), "b")).toBe(4);
  expect(client.open()).toBe(3);
});

test("what opens early is matched by what it says, or else by order", () => {
  // Only connection 1 may be open before the first answer.
  const client = new Client(openings("GET /a", "GET /b", "GET /c"));
  expect(send(client.pending(1), "GET /c")).toBe(3);
  expect(send(client.pending(1), "GET /x")).toBe(1);
  expect(client.open(1)).toBe(2);
});

test("what was given up is matched when nothing else is to be expected, or when it says so", () => {
  const client = new Client(openings("GET /a", "GET /b", "GET /b"));
  client.progress.expectLate(endOf(1, Direction.toServer), 0);
  expect(send(client.pending(), "GET /b")).toBe(2);
  expect(send(client.pending(), "GET /a")).toBe(1);
  expect(client.open()).toBe(3);
});

test("server-first connections are matched by order at once", () => {
  const client = new Client(openings("", "", ""));
  expect([client.open(), client.open(), client.open()]).toEqual([1, 2, 3]);
});

test("1000 parallel connections match whatever their order, and quickly", () => {
  const texts = Array.from({ length: 1000 }, (_, i) => `GET /item/${i % 700} HTTP/1.1\r\n`);
  const recorded = openings(...texts);
  const shuffled = fc.sample(fc.shuffledSubarray([...texts.keys()], { minLength: texts.length }), {
    numRuns: 1,
    seed: 7,
  })[0] as number[];
  const startMs = performance.now();
  const client = new Client(recorded);
  const pending = shuffled.map(() => client.open());
  const matched = shuffled.map((which, i) => {
    const match = pending[i];
    if (typeof match !== "object") return match;
    const text = texts[which] as string;
    return send(match, text.slice(0, 12)) ?? send(match, text.slice(12));
  });
  // A busy machine takes three times as long; trying all with all would take minutes.
  expect(performance.now() - startMs).toBeLessThan(2000);
  const found = matched.map((number) => texts[(number as number) - 1]);
  expect(found).toEqual(shuffled.map((which) => texts[which]));
  expect(new Set(matched).size).toBe(1000);
  expect(client.notes).toEqual([]);
});

/** All of the text, or as much as it takes; then the process is quiet. */
function sendInPieces(
  match: PendingMatch,
  text: string,
  next: (below: number) => number,
): number | undefined {
  for (let at = 0, size = 1; at < text.length; at += size) {
    size = 1 + next(3);
    const number = send(match, text.slice(at, at + size));
    if (number !== undefined) return number;
  }
  return match.settle();
}

function settle(match: number | PendingMatch | "none" | undefined): number {
  return typeof match === "object" ? (match.settle() ?? 0) : 0;
}

test("any openings, in any order, in any pieces: each finds its own", () => {
  const texts = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(texts, fc.infiniteStream(fc.nat()), (all, random) => {
      const next = (below: number): number => (random.next().value as number) % below;
      const client = new Client(openings(...all));
      const waiting = all.map((_, i) => i).toSorted(() => next(3) - 1);
      const opened = waiting.map((which) => ({ text: all[which] as string, match: client.open() }));
      const first = opened.map(({ text, match }) =>
        typeof match === "object" ? sendInPieces(match, text, next) : (match as number),
      );
      // Those that are silent are decided once the others are.
      const matched = first.map((number, i) => number ?? settle(opened[i]?.match));
      expect(matched.map((number) => all[number - 1])).toEqual(opened.map(({ text }) => text));
      expect(matched.toSorted((a, b) => a - b)).toEqual(all.map((_, i) => i + 1));
    }),
  );
});
