import { describe, expect } from "vitest";
import { initDatabase, postgres } from "./database.ts";
import { needsRoot } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

describe("PostgreSQL", () => {
  needsRoot("initdb", "postgres", "pgbench", "psql");

  test("pgbench runs against it, all as the user postgres", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    const server = `server=exec ${postgres(data)}`;
    const client = [
      "until pg_isready -q -h 10.0.0.1; do sleep 0.1; done",
      "whoami",
      "pgbench -q -h 10.0.0.1 -U postgres -i -s 1 postgres",
      "pgbench -h 10.0.0.1 -U postgres -c 4 -j 2 -t 100 postgres",
      "psql -h 10.0.0.1 -U postgres -tAc 'select count(*) from pgbench_history' postgres",
    ].join(" && ");
    const run = await plg.run([
      "record",
      "--wait-listen=20s",
      "--until=client",
      "--uid=postgres",
      server,
      `client=${client}`,
    ]);
    expectOk(run);
    const lines = linesOf(run, "client");
    expect(lines[0]).toBe("postgres");
    expect(lines).toContain("number of transactions actually processed: 400/400");
    expect(lines.at(-1)).toBe("400");
  });
});
