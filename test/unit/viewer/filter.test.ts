import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { eventsThatPass, parseFilter } from "../../../src/viewer/filter.ts";
import { type LoadedDump, loadDump } from "../../../src/viewer/load.ts";
import { smallRecording } from "../dump/recording.ts";

const { index }: LoadedDump = await loadDump("t.dump", new Blob([smallRecording().finish().bytes]));
const all = [...Array(index.eventCount).keys()];

function passing(text: string): number[] {
  const { selection, problem } = parseFilter(text, index);
  if (selection === undefined) throw new Error(problem);
  return [...eventsThatPass(index, selection, (event) => `event ${event}`)];
}

const isOf = (container: number) => (event: number) =>
  index.sender(event) === container || index.receiver(event) === container;

test.each<[string, (event: number) => boolean]>([
  ["", () => true],
  ["  ", () => true],
  ["#3", (event) => index.connection(event) === 3],
  [":80", (event) => index.connection(event) > 0],
  [":40000", (event) => index.connection(event) > 0],
  [":81", () => false],
  ["#99", () => false],
  ["reset", (event) => index.kind(event) === RecordKind.reset],
  ["ref", (event) => index.kind(event) === RecordKind.refuse],
  ["packet", (event) => index.kind(event) === RecordKind.packet],
  ["client", isOf(1)],
  ["Client", isOf(1)],
  // Both server and scout begin with it.
  ["s", (event) => isOf(0)(event) || isOf(2)(event)],
  ["client scout", (event) => isOf(1)(event) && isOf(2)(event)],
  [
    " data   #1 ",
    (event) => index.connection(event) === 1 && index.kind(event) === RecordKind.data,
  ],
  ["from=0.000002", (event) => index.timeNs(event) >= 2000],
  ["from=2us to=5us", (event) => index.timeNs(event) >= 2000 && index.timeNs(event) <= 5000],
  ["/event 1/", (event) => String(event).startsWith("1")],
  ["/EVENT [12]$/i #1", (event) => [1, 2].includes(event) && index.connection(event) === 1],
])("'%s'", (text, passes) => {
  expect(passing(text)).toEqual(all.filter(passes));
});

test.each(["nobody", "#", ":", "#x", "client nobody", ":-1"])("'%s' is not understood", (text) => {
  expect(parseFilter(text, index).problem).toMatch(/^'\S+' is no container \(/);
});

test.each<[string, RegExp]>([
  ["from=soon", /^from= 'soon' is not a time: write it like/],
  ["/(/", /^the pattern '\(' is not a regular expression: /],
])("'%s' is not understood", (text, problem) => {
  expect(parseFilter(text, index).problem).toMatch(problem);
});
