import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseMask } from "../../../src/replay/compare/parse-mask.ts";
import { comparisonFor } from "../../../src/replay/compare/comparison.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import type { Difference } from "../../../src/replay/findings/differences.ts";
import { Learner, renderMasks } from "../../../src/replay/learn/learn.ts";
import { names, record } from "./recording.ts";

/** What differs where `live` is sent instead of `recorded`. */
function differ(recorded: string, live: string, masks: readonly Mask[]): Difference[] {
  const found: Difference[] = [];
  const { index, read } = record(`
    0 1 connect client server:80
    0 1 accept
    1 1 client ${JSON.stringify(recorded)}
  `);
  const parts = { index, read, masks, isCut: () => false, deliveredBytes: () => 0 };
  const comparison = comparisonFor({ ...parts, report: (one) => found.push(one) }, 1, 0);
  const bytes = Buffer.from(live, "latin1");
  comparison.push(bytes, 0, bytes.length);
  comparison.finish();
  return found;
}

/** Replays until nothing differs, or nothing more is learned. */
function learn(recorded: string, ...runs: string[]): { learner: Learner; clean: boolean } {
  const learner = new Learner();
  let clean = true;
  for (const live of runs) {
    for (let times = 0; times < 10; times++) {
      learner.noteReplay();
      const masks = learner.masks.map(({ mask }) => parseMask(mask, names));
      const [difference] = differ(recorded, live, masks);
      clean = difference === undefined;
      if (difference === undefined || !learner.add(difference)) break;
    }
  }
  return { learner, clean };
}

const masksOf = ({ learner }: { learner: Learner }): string[] =>
  learner.masks.map(({ mask }) => mask);

test("a number between constant neighbours", () => {
  expect(masksOf(learn("GET /a?id=17&b=1\r\n", "GET /a?id=18&b=1\r\n"))).toEqual([
    "client:80/GET \\/a\\?id=\\d{2}(?=&)/",
  ]);
});

test("a second sample of another length widens the mask", () => {
  const learned = learn("GET /a?id=17&b\r\n", "GET /a?id=18&b\r\n", "GET /a?id=1800&b\r\n");
  expect(learned.clean).toBe(true);
  expect(masksOf(learned)).toEqual(["client:80/GET \\/a\\?id=\\d+(?=&)/"]);
});

test("masks with the same neighbours become one", () => {
  const recorded = "get k1 stamp=17;\nget k22 stamp=18;\nget k9 stamp=19;\n";
  const live = "get k1 stamp=27;\nget k22 stamp=29;\nget k9 stamp=30;\n";
  const learned = learn(recorded, live);
  expect(learned.clean).toBe(true);
  expect(masksOf(learned)).toEqual(["client:80/ stamp=\\d{2}(?=;)/"]);
  expect(learned.learner.masks[0]?.times).toBe(2);
});

test("hexadecimal digits, words and dates", () => {
  expect(masksOf(learn("key=0a1b2c3d4e;x", "key=0a99ff3d4e;x"))).toEqual([
    "client:80/key=[\\da-f]{10}(?=;)/",
  ]);
  expect(masksOf(learn("name=hello;", "name=world;"))).toEqual(["client:80/name=[\\w-]{5}(?=;)/"]);
  expect(
    masksOf(learn('at "2026-11-28T07:38:06.808Z" x', 'at "2026-11-28T07:39:52.425Z" x')),
  ).toEqual(["client:80/\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?/"]);
  const date = "Date: Sat, 28 Nov 2026 07:38:0";
  expect(masksOf(learn(`${date}6 GMT\r\n`, `${date}7 GMT\r\n`))).toEqual([
    "client:80/Date: [^\\r\\n]*/",
  ]);
});

test("bytes that are no text differ at fixed places", () => {
  const learned = learn(
    "\x01\x02\x03\x04\x81\x82\x07\x08\x09\x0a\x0b",
    "\x01\x02\x03\x04\x91\x92\x07\x08\x09\x0a\x0b",
  );
  expect(masksOf(learned)).toEqual(["client:80/\\x01\\x02\\x03\\x04[^]{2}/"]);
  expect(learned.clean).toBe(true);
});

test("what would match anywhere is not learned, and neither is what is missing", () => {
  expect(masksOf(learn("E\0abc", "R\0abc"))).toEqual([]);
  const learner = new Learner();
  const missing = { kind: "missing-bytes", process: "client", connection: 1 } as Difference;
  expect(learner.add(missing)).toBe(false);
});

test("each mask has a comment: what varied, how often, an example", () => {
  const { learner } = learn("id is 17, ok", "id is 18, ok");
  expect(renderMasks(learner.masks, "3 replays")).toBe(
    '# a number: differed once in 3 replays, for example "17", then "18"\nclient:80/id is \\d{2}(?=,)/\n',
  );
});

test("whatever token varies: its mask is a mask, covers it, and nothing beside it", () => {
  const token = fc.string({
    unit: fc.constantFrom(...Array.from("0123456789abcXYZ")),
    minLength: 1,
    maxLength: 12,
  });
  const neighbour = fc.string({ unit: "binary-ascii", minLength: 3, maxLength: 20 });
  fc.assert(
    fc.property(neighbour, token, token, neighbour, (left, then, now, right) => {
      const [recorded, live] = [`${left}<${then}>${right}`, `${left}<${now}>${right}`];
      const { learner, clean } = learn(recorded, live);
      expect(clean).toBe(true);
      const masks = learner.masks.map(({ mask }) => parseMask(mask, names));
      expect(differ(recorded, `${live}!`, masks)).toMatchObject([{ kind: "extra-bytes" }]);
      expect(differ(recorded, `!${live}`, masks)).not.toEqual([]);
    }),
  );
});
