import { expect, test } from "vitest";
import type { UsageError } from "../../../src/base/errors.ts";
import { messageOf } from "../../../src/cli/errors/advice.ts";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import {
  type EventFacts,
  selectionFrom,
  type SelectionOptions,
} from "../../../src/report/selection.ts";

const names = ["server", "Client", "scout"];
const event: EventFacts = {
  kind: RecordKind.data,
  connection: 3,
  clientPort: 40_000,
  serverPort: 80,
  sender: 1,
  receiver: 0,
  atNs: 1_500_000_000,
};

test.each<[SelectionOptions, boolean]>([
  [{}, true],
  [{ only: ["server"] }, true],
  [{ only: ["cli", ":80 #3"] }, true],
  [{ only: ["client", "scout"] }, false],
  [{ only: ["reset"] }, false],
  [{ from: "1.5" }, true],
  [{ from: "1501ms" }, false],
  [{ to: "1500ms" }, true],
  [{ to: "1.4s" }, false],
  [{ from: "1s", to: "2s", only: ["data"] }, true],
])("%j", (options, isSelected) => {
  expect(selectionFrom(options, names).passes(event)).toBe(isSelected);
});

test("a pattern has to be in the text, in both if there are two", () => {
  const selection = selectionFrom({ grep: "GET .*items", only: ["/200$/"] }, names);
  expect(selection.selectsText).toBe(true);
  expect(selection.matches("GET /items/3 → 200")).toBe(true);
  expect(selection.matches("GET /items/3 → 404")).toBe(false);
});

/** The error of these options, as the command line words it. */
function complaintAbout(options: SelectionOptions): string {
  try {
    selectionFrom(options, names);
  } catch (error) {
    return messageOf(error as UsageError);
  }
  return "nothing";
}

test.each<[SelectionOptions, string]>([
  [{ from: "x" }, "--from 'x' is not a time: write it like 1.5s, 20ms or 0.001234"],
  [{ to: "-1s" }, "--to '-1s' is not a time: write it like 1.5s, 20ms or 0.001234"],
  [
    { only: ["nobody"] },
    "'nobody' is no container (server, Client, scout), kind of event (connect, accept, refuse, " +
      "data, end, reset, packet), #connection or :port",
  ],
  [{ grep: "[" }, "--grep '[' is not a regular expression: Lone quantifier brackets"],
])("%j is refused", (options, message) => {
  const found = complaintAbout(options);
  if (options.grep === undefined) expect(found).toBe(message);
  else expect(found).toContain("--grep '[' is not a regular expr");
});
