import { expect, test } from "vitest";
import type { Port } from "../../../src/base/units.ts";
import { StreamComparison } from "../../../src/replay/compare/stream-comparison.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import { ChosenPorts } from "../../../src/replay/match/chosen-ports.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { containerOf, record } from "./recording.ts";

const active = record(`
  0 1 connect client server:21
  0 1 accept
  1 1 client "PORT 10,0,0,2,156,64\\r\\nLIST\\r\\n"
  2 1 server "200\\r\\n"
  3 2 connect server client:40000
  3 2 accept
  4 2 server "list"
`);
const client = containerOf("client");
const ports = (...all: number[]): Port[] => all as Port[];

test("a port that nobody listens on gives way to a new one, and stays so", () => {
  const chosen = new ChosenPorts(active.index);
  expect(chosen.has(client)).toBe(true);
  expect(chosen.has(containerOf("server"))).toBe(false);
  const recorded = 40_000 as Port;
  expect(chosen.portFor(client, recorded, ports(40_000, 50_000))).toBeUndefined();
  expect(chosen.portFor(client, recorded, ports(80))).toBeUndefined();
  expect(chosen.portFor(client, recorded, ports(22, 50_001))).toBe(50_001);
  expect(chosen.portFor(client, recorded, ports(50_001, 50_002))).toBe(50_001);
  expect(chosen.portFor(client, recorded, ports(50_002))).toBe(50_002);
});

function compare(text: string, listening: Port[]): { found: Difference[]; chosen: ChosenPorts } {
  const found: Difference[] = [];
  const chosen = new ChosenPorts(active.index);
  const comparison = comparisonFor(
    {
      index: active.index,
      read: active.read,
      masks: [],
      isCut: () => false,
      deliveredBytes: () => 0,
      report: (difference) => found.push(difference),
      equivalentsFor: (container) => () => chosen.equivalents(container, listening),
    },
    1,
    0,
  );
  expect(comparison).toBeInstanceOf(StreamComparison);
  const bytes = Buffer.from(text);
  comparison.push(bytes, 0, bytes.length);
  comparison.finish();
  return { found, chosen };
}

test("the number of a port that the process listens on is the same as the recorded one", () => {
  const listening = ports(50_000, 40_007);
  const { found, chosen } = compare("PORT 10,0,0,2,156,71\r\nLIST\r\n", listening);
  expect(found).toEqual([]);
  expect(chosen.portFor(client, 40_000 as Port, listening)).toBe(40_007);
  expect(compare("PORT 10,0,0,2,195,80\r\nLIST\r\n", listening).found).toEqual([]);
});

test("another number is a difference", () => {
  const { found } = compare("PORT 10,0,0,2,156,71\r\nLIST\r\n", ports(50_000));
  expect(found).toMatchObject([{ kind: "bytes", offset: 18 }]);
  const after = compare("PORT 10,0,0,2,195,80\r\nLAST\r\n", ports(50_000));
  expect(after.found).toMatchObject([{ kind: "bytes", offset: 23 }]);
});
