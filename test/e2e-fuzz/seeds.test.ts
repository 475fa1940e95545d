// A few of the scenarios that `npm run e2e-fuzz` makes: see docs/e2e-fuzzing.md.
import { describe, expect, test } from "vitest";
import { needs } from "../programs/machine.ts";
import { Chance } from "./chance.ts";
import { generate } from "./generate.ts";
import { findStage, play } from "./play.ts";
import { someWays } from "./ways.ts";

describe("a random scenario", () => {
  needs("ip", "tshark", "python3");

  test.each([12, 27, 30])(
    "from seed %i does the same plainly, recorded and replayed",
    async (seed) => {
      const scenario = generate(seed);
      const ways = someWays(scenario, new Chance(seed + 1));
      expect(await play(scenario, findStage(), { isPlain: true, isRecorded: true, ways })).toEqual(
        [],
      );
    },
  );
});
