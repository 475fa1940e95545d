import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { describe, expect } from "vitest";
import { needs, programPath } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

/** Makes a database cluster in the folder, as the user postgres, who alone may run it. */
function initDatabase(folder: string): string {
  const data = join(folder, "data");
  const [uid, gid] = ["-u", "-g"].map((flag) =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })),
  ) as [number, number];
  mkdirSync(data);
  chownSync(data, uid, gid);
  const options = [
    "-D",
    data,
    "-U",
    "postgres",
    "--auth=trust",
    "--no-sync",
    "--no-locale",
    "-E",
    "UTF8",
  ];
  execFileSync("initdb", options, {
    uid,
    gid,
    cwd: folder,
    stdio: "pipe",
    env: { PATH: programPath },
  });
  return data;
}

describe("PostgreSQL", () => {
  needs("initdb", "postgres", "pgbench", "psql");

  test("pgbench runs against it, all as the user postgres", async ({ plg, folder }) => {
    const data = initDatabase(folder);
    // initdb allows connections from this machine alone.
    writeFileSync(join(data, "pg_hba.conf"), "host all all 10.0.0.0/24 trust\n");
    const server = `server=exec postgres -D '${data}' -c listen_addresses='*' -c unix_socket_directories='' -c fsync=off`;
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
