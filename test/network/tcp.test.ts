// A process must not be able to tell that it talks to a pipe: it sees the same over a plain veth
// pair, in `plg record` and in `plg replay`. What differs all the same is declared beside the
// scenario, with the reason, and stands in docs/network.md.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Family } from "../../src/base/units.ts";
import { needs } from "../programs/machine.ts";
import { Plg } from "../programs/plg.ts";
import type { ReplayReport } from "../programs/replays.ts";
import { differencesIn, type Network, type Scenario } from "./actor/scenario.ts";
import { scenarios } from "./actor/scenarios.ts";
import { meetingPort, sceneOf } from "./actor/stage.ts";
import {
  compileActors,
  families,
  type Observations,
  overVeth,
  recorded,
  replayed,
  type Seen,
} from "./networks.ts";
import { pageWith, readPage, tableOf, writePage } from "./page.ts";

const writesPage = process.env["PLG_WRITE_PAGE"] === "1";

const seen: Record<Network, Map<string, Observations>> = {
  veth: new Map(),
  record: new Map(),
  replay: new Map(),
};
const told: ReplayReport["differences"][number][] = [];

function keep(network: Network, results: Seen): void {
  for (const [name, lines] of results) seen[network].set(name, lines);
}

/** Plays them over one kind of network after the other. */
async function play(folder: string, plg: Plg): Promise<void> {
  keep("veth", await overVeth(scenarios, folder));
  keep("record", await recorded(scenarios, folder, plg));
  const replay = await replayed(scenarios, plg);
  keep("replay", replay.seen);
  told.push(...replay.report.differences);
}

/**
 * What a network is to show: what a veth pair did, with the declared differences in their places.
 */
function expected(scenario: Scenario, network: Network): Observations {
  const plain = seen.veth.get(scenario.name);
  if (!plain) throw new Error(`${scenario.name} was not played`);
  const ofFamily = (family: Family): string[] => {
    const replaced = new Map(
      differencesIn(scenario, network)
        .filter((difference) => (difference.family ?? family) === family)
        .flatMap(({ lines }) => Object.entries(lines)),
    );
    for (const line of replaced.keys())
      expect(plain[family], "a line of a declared difference").toContain(line);
    return plain[family].map((line) => replaced.get(line) ?? line);
  };
  return { 4: ofFamily(4), 6: ofFamily(6) };
}

describe("TCP between two hosts", () => {
  needs("ip");
  let folder: string;
  let plg: Plg;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "plg-test-network-"));
    chmodSync(folder, 0o755);
    plg = new Plg(folder);
    compileActors();
    await play(folder, plg);
  }, 400_000);

  afterAll(async () => {
    await plg.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(scenarios)("$title", (scenario) => {
    test("each role says something, in either family", () => {
      for (const family of families) expect(seen.veth.get(scenario.name)?.[family]).not.toEqual([]);
    });

    test.each(["record", "replay"] as const)("is the same in plg %s", (network) => {
      expect(seen[network].get(scenario.name)).toEqual(expected(scenario, network));
    });

    test("is replayed without a difference", () => {
      const scene = scenarios.indexOf(scenario);
      const ofThis = told.filter(({ serverPort }) => sceneOf(serverPort) === scene);
      const kinds = [...new Set(ofThis.map(({ kind }) => kind))];
      const text = ofThis.map((difference) => difference.text).join("\n");
      expect(kinds, text).toEqual([]);
    });
  });

  test("the partners met in the replay as they had", () => {
    expect(told.filter(({ serverPort }) => serverPort === meetingPort)).toEqual([]);
  });

  test("docs/network.md says so", () => {
    const page = pageWith(tableOf(scenarios, seen.veth));
    if (writesPage) writePage(page);
    expect(readPage(), "mend it by: npm run network-page").toBe(page);
  });
});
