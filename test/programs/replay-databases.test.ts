// Servers that keep something, with their own clients.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { initDatabase, postgres, restoreDatabase } from "./database.ts";
import { needs, needsRoot } from "./machine.ts";
import { linesOf, test } from "./plg.ts";
import {
  configureMosquitto,
  memcachedCommands,
  mosquittoCommands,
  postgresKey,
  psql,
  queries,
} from "./replay-fixtures.ts";
import { expectDiffers, expectSame, record, textOf } from "./replays.ts";

describe("PostgreSQL and psql, replayed", () => {
  needsRoot("initdb", "postgres", "psql");

  test("the client alone gets all rows; the server alone, without a seed, has another cancel key", async ({
    plg,
    folder,
  }) => {
    const data = initDatabase(folder);
    writeFileSync(join(folder, "queries.sql"), queries);
    // It listens a moment before it is ready: whoever comes then is sent away.
    const commands = [`db=exec ${postgres(data)}`, `client=sleep 1.5; ${psql}`];
    const run = await record(plg, "--no-seed", "--until=client", "--uid=postgres", ...commands);
    const rows = linesOf(run, "client");
    expect(rows).toContain("500|125250");
    expect(rows.filter((row) => row.startsWith("fruit "))).toHaveLength(5);
    expect(rows).toContain("LINE 1: select * from nothing;");

    const asking = await expectSame(plg, "--only=client", "--uid=postgres", `client=${psql}`);
    expect(asking.lines("client")).toEqual(rows);

    restoreDatabase(folder);
    const alone = ["--only=db", "--uid=postgres"];
    const { report } = await expectDiffers(plg, "db", ...alone, "--speed=1");
    expect(report.differences).toMatchObject([{ kind: "bytes", process: "db", serverPort: 5432 }]);
    // BackendKeyData: K, its length, a process id, a secret.
    const before = textOf(report.differences[0]?.before);
    expect(before.length - before.lastIndexOf("K\0\0\0\f")).toBeLessThanOrEqual(5 + 7);
    expect(before).toContain("K\0\0\0\f");
    restoreDatabase(folder);
    await expectSame(plg, ...alone, `--ignore=${postgresKey}`);
  });
});

describe("mosquitto, replayed", () => {
  needs("mosquitto", "mosquitto_sub", "mosquitto_pub", "stdbuf");

  test("broker, subscriber and publisher, each alone and all together", async ({ plg, folder }) => {
    configureMosquitto(folder);
    const run = await record(plg, "--until=subscriber", ...mosquittoCommands);
    const items = linesOf(run, "subscriber");
    expect(items.filter((line) => line.startsWith("item-"))).toHaveLength(3);
    const all = await expectSame(plg);
    expect(all.lines("subscriber")).toEqual(items);
    const alone = await expectSame(plg, "--only=subscriber");
    expect(alone.lines("subscriber")).toEqual(items);
    await expectSame(plg, "--only=broker");
    await expectSame(plg, "--only=publisher");
  });
});

describe("memcached, replayed", () => {
  needs("memcached", "nc");

  test("each side alone and both together", async ({ plg }) => {
    const run = await record(plg, "--until=client", ...memcachedCommands);
    const answers = linesOf(run, "client");
    expect(answers).toContain("hello\r");
    for (const options of [[], ["--only=client"]])
      expect((await expectSame(plg, ...options)).lines("client")).toEqual(answers);
    await expectSame(plg, "--only=server");
  });
});
