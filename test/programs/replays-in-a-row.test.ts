// Replay is dependable: the same again and again, without one difference or stall. `npm run replays
// -- 20`.
import { describe, expect } from "vitest";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, type Plg, test } from "./plg.ts";
import { replayFixtures } from "./replay-fixtures.ts";
import { expectSame, record } from "./replays.ts";

/** How often each recording is replayed. */
const times = Number(process.env["PLG_REPLAYS"] ?? 3);
/**
 * What is waited for in vain for this long is a difference: none of these programs takes a tenth of
 * it.
 */
const patienceMs = 30_000;

/** The names of those who ended without being stopped. */
async function endedByThemselves(plg: Plg): Promise<Set<string>> {
  const run = await plg.run(["show", "--json"]);
  expectOk(run);
  const { commands } = JSON.parse(run.stdout) as {
    commands: readonly { name: string; stoppedAtNs?: number }[];
  };
  const ended = commands.filter(({ stoppedAtNs }) => stoppedAtNs === undefined);
  return new Set(ended.map(({ name }) => name));
}

for (const fixture of replayFixtures) {
  const { name, programs, prepare, ways, startAfresh } = fixture;
  describe(`${name}, replayed again and again`, () => {
    (fixture.needsRoot ? needsRoot : needs)(...programs);
    const timeoutMs = 60_000 + times * patienceMs;

    test(`${times} times in a row`, { timeout: timeoutMs }, async ({ plg, folder }) => {
      await record(plg, ...prepare(folder));
      const ended = await endedByThemselves(plg);
      const durationsMs: number[] = [];
      for (let time = 0; time < times; time++) {
        startAfresh?.(folder);
        const way = ways[time % ways.length] as readonly string[];
        const { report } = await expectSame(plg, `--patience=${patienceMs}ms`, ...way);
        const stalled = report.commands.filter((one) => one.stopped && ended.has(one.name));
        expect(stalled, `${way.join(" ")} left somebody waiting`).toEqual([]);
        durationsMs.push(report.durationMs);
        durationsMs.push(report.durationMs);
      }
      const [least, most] = [Math.min(...durationsMs), Math.max(...durationsMs)];
      const took = `${(least / 1000).toFixed(1)} to ${(most / 1000).toFixed(1)} s each`;
      console.log(`${name}: ${times} of ${times} replays without a difference or stall, ${took}`);
    });
  });
}
