import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { MessageTexts } from "../../../src/report/message-texts.ts";
import { selectionFrom, type SelectionOptions } from "../../../src/report/selection.ts";
import { Timeline, type TimelineLine } from "../../../src/report/timeline.ts";
import { layoutFor, renderTimelineLine, timelineJson } from "../../../src/report/timeline-text.ts";
import { decode, Recording, run } from "../dump/recording.ts";

const { toServer, toClient } = Direction;
const names = run.containers.map(({ name }) => name);
const text = (content: string): Uint8Array => Buffer.from(content, "latin1");

function linesOf(recording: Recording, options?: SelectionOptions): TimelineLine[] {
  return linesIn(recording.finish().bytes, options);
}

function linesIn(dump: Uint8Array, options: SelectionOptions = {}): TimelineLine[] {
  const timeline = new Timeline(run, selectionFrom(options, names));
  const lines: TimelineLine[] = [];
  for (const [event, item] of decode(dump).items.entries())
    if (item.type === "stream" || item.type === "packet") lines.push(...timeline.add(item, event));
  return [...lines, ...timeline.finish()];
}

function render(recording: Recording, options?: SelectionOptions, width?: number): string {
  const layout = layoutFor(run, width);
  return `\n${linesOf(recording, options)
    .map((line) => `${renderTimelineLine(line, layout)}\n`)
    .join("")}`;
}

/** Two clients whose requests overlap, and bytes of no protocol. */
function twoClients(): Recording {
  const recording = new Recording();
  const first = recording.connect(4, 1, 0);
  recording.atNs = 1_000_000;
  recording.event(first, RecordKind.accept, toClient);
  recording.data(first, toServer, text("GET /items/3 HTTP/1.1\r\nHost: a\r\n"));
  const second = recording.connect(4, 2, 0);
  recording.event(second, RecordKind.accept, toClient);
  recording.atNs = 2_000_000;
  recording.data(second, toServer, text("hello\u001b[2J\n"));
  recording.atNs = 3_000_000;
  recording.data(first, toServer, text("\r\n"));
  recording.atNs = 8_200_000;
  recording.data(first, toClient, text("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  recording.event(first, RecordKind.reset, toClient);
  recording.event(second, RecordKind.end, toServer);
  return recording;
}

test("a question is one line with its answer, where it began, and bytes stay bytes", () => {
  expect(render(twoClients())).toMatchInlineSnapshot(`
    "
       0.000000 s  client → server  #1     connects to port 80 → accepts, 1 ms
       0.001000 s  client → server  #1     GET /items/3 → 200, 7 ms
       0.001000 s   scout → server  #2     connects to port 80 → accepts, 0.00 ms
       0.002000 s   scout → server  #2     10 B  hello·[2J↵
       0.008200 s  server → client  #1     resets
       0.008200 s   scout → server  #2     ends its direction
    "
  `);
});

test("a line that is too long for the terminal loses the end of its question", () => {
  expect(render(twoClients(), { only: ["#1 data"] }, 60)).toMatchInlineSnapshot(`
    "
       0.001000 s  client → server  #1     GET /ite… → 200, 7 ms
    "
  `);
});

test.each<[SelectionOptions, number]>([
  [{ only: ["scout"] }, 3],
  [{ only: ["#1"] }, 3],
  [{ only: ["reset"] }, 1],
  [{ grep: "200" }, 1],
  [{ grep: "^hello" }, 1],
  [{ from: "1.5ms", to: "8ms" }, 1],
  [{ from: "9ms" }, 0],
])("%j selects %i lines", (options, count) => {
  expect(linesOf(twoClients(), options)).toHaveLength(count);
});

test("a pattern is looked for in all bytes of a message, across events", () => {
  const recording = new Recording();
  const stream = recording.connect(4, 1, 0);
  recording.event(stream, RecordKind.accept, toClient);
  const head = "HTTP/1.1\r\nContent-Length: 300\r\n\r\n";
  for (const [path, word] of [
    ["/a", "needle"],
    ["/b", "nothing"],
  ] as const) {
    const body = `${"x".repeat(200)}${word}`.padEnd(300);
    recording.data(stream, toServer, text(`POST ${path} ${head}${body.slice(0, 203)}`));
    recording.data(stream, toServer, text(body.slice(203)));
  }
  recording.data(stream, toClient, text("HTTP/1.1 201 Created\r\nLocation: /needle\r\n\r\n"));
  recording.data(stream, toServer, text("POST /c HTTP/1.1\r\nX: needle\r\n\r\n"));
  const lines = linesOf(recording, { grep: "needle" });
  expect(lines.map((line) => `${line.text} ${line.answer?.text}`)).toEqual([
    "POST /a 201",
    "POST /c undefined",
  ]);
});

test("a line for programs has the answer and the time that it took", () => {
  const [line] = linesOf(twoClients(), { only: ["data #1"] });
  expect(timelineJson(line as TimelineLine)).toEqual({
    atNs: 1_000_000,
    connection: 1,
    from: "client",
    to: "server",
    protocol: "HTTP/1",
    text: "GET /items/3",
    lengthBytes: undefined,
    answer: "200",
    answerAfterNs: 7_200_000,
  });
});

test("an answer that comes after very many lines has a line of its own", () => {
  const recording = new Recording();
  const slow = recording.connect(4, 1, 0);
  recording.event(slow, RecordKind.accept, toClient);
  recording.data(slow, toServer, text("GET /slow HTTP/1.1\r\n\r\n"));
  const busy = recording.connect(4, 2, 0);
  recording.event(busy, RecordKind.accept, toClient);
  for (let i = 0; i < 25_000; i++) recording.data(busy, toServer, text("x"));
  recording.data(slow, toClient, text("HTTP/1.1 200 OK\r\n\r\n"));
  const { bytes } = recording.finish();
  const lines = linesIn(bytes, { only: ["client"] });
  const all = linesIn(bytes);
  expect(all).toHaveLength(25_004);
  expect(all.map(({ moment }) => moment.event)).toEqual(
    all.map(({ moment }) => moment.event).toSorted((a, b) => a - b),
  );
  expect(all.at(-1)?.text).toBe("200 (to GET /slow)");
  // Lines that are not selected hold back none.
  expect(lines.at(-1)?.answer?.text).toBe("200");
});

test("by event, the texts are those of the messages that begin there", () => {
  const texts = new MessageTexts();
  for (const [number, item] of decode(twoClients().finish().bytes).items.entries())
    texts.add(item, number - 1);
  texts.finish();
  const said = Array.from({ length: 10 }, (_, event) => texts.of(event));
  expect(said.flatMap((one, event) => (one === undefined ? [] : [`${event} ${one}`]))).toEqual([
    "2 GET /items/3",
    "7 200",
  ]);
});
