// Servers that keep something, with their own clients.
import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs, programPath } from "./machine.ts";
import { linesOf, test } from "./plg.ts";
import { expectDiffers, expectSame, record, textOf } from "./replays.ts";

function idOf(flag: string): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}

/** Makes a database cluster in the folder, as the user postgres, who alone may run it; the folder becomes theirs. */
function initDatabase(folder: string): string {
  const data = join(folder, "data");
  const [uid, gid] = [idOf("-u"), idOf("-g")];
  mkdirSync(data);
  chownSync(data, uid, gid);
  const options = `-D ${data} -U postgres --auth=trust --no-sync --no-locale -E UTF8`;
  const env = { PATH: programPath };
  execFileSync("initdb", options.split(" "), { uid, gid, cwd: folder, stdio: "pipe", env });
  writeFileSync(join(data, "pg_hba.conf"), "host all all 10.0.0.0/24 trust\n");
  return data;
}

const queries = `create table fruit(id int primary key, name text);
insert into fruit select i, 'fruit ' || i from generate_series(1, 500) i;
select count(*), sum(id) from fruit;
select name from fruit where id % 100 = 7;
select * from nothing;
`;

describe("PostgreSQL and psql, replayed", () => {
  needs("initdb", "postgres", "psql");

  test("the client alone gets all rows; the server alone has another cancel key", async ({
    plg,
    folder,
  }) => {
    const data = initDatabase(folder);
    const fresh = join(folder, "fresh");
    const startAfresh = (): void => {
      rmSync(data, { recursive: true, force: true });
      execFileSync("cp", ["-a", fresh, data]);
    };
    execFileSync("cp", ["-a", data, fresh]);
    writeFileSync(join(folder, "queries.sql"), queries);
    const server = `db=exec postgres -D '${data}' -c listen_addresses='*' -c unix_socket_directories='' -c fsync=off`;
    // It listens a moment before it is ready: whoever comes then is sent away.
    const ask = "psql -h 10.0.0.1 -U postgres -tA -f queries.sql postgres 2>&1";
    const commands = [server, `client=sleep 1.5; ${ask}`];
    const run = await record(plg, "--until=client", "--uid=postgres", ...commands);
    const rows = linesOf(run, "client");
    expect(rows).toContain("500|125250");
    expect(rows.filter((row) => row.startsWith("fruit "))).toHaveLength(5);
    expect(rows).toContain("LINE 1: select * from nothing;");

    const asking = await expectSame(plg, "--only=client", "--uid=postgres", `client=${ask}`);
    expect(asking.lines("client")).toEqual(rows);

    startAfresh();
    const alone = ["--only=db", "--uid=postgres"];
    const { report } = await expectDiffers(plg, "db", ...alone, "--speed=1");
    expect(report.differences).toMatchObject([{ kind: "bytes", process: "db", serverPort: 5432 }]);
    // BackendKeyData: K, its length, a process id, a secret.
    const before = textOf(report.differences[0]?.before);
    expect(before.length - before.lastIndexOf("K\0\0\0\f")).toBeLessThanOrEqual(5 + 7);
    expect(before).toContain("K\0\0\0\f");
    startAfresh();
    await expectSame(plg, ...alone, "--ignore=db:5432/K\\x00\\x00\\x00\\x0c[^]{8}/");
  });
});

describe("mosquitto, replayed", () => {
  needs("mosquitto", "mosquitto_sub", "mosquitto_pub", "stdbuf");

  test("broker, subscriber and publisher, each alone and all together", async ({ plg, folder }) => {
    writeFileSync(join(folder, "mosquitto.conf"), "listener 1883\nallow_anonymous true\n");
    const run = await record(
      plg,
      "--until=subscriber",
      "broker=exec mosquitto -c mosquitto.conf",
      "subscriber=stdbuf -oL mosquitto_sub -i sub -d -h 10.0.0.1 -t news -q 1 -C 3 | tee subscriber.log",
      "publisher=until grep -q SUBACK subscriber.log; do sleep 0.02; done; for i in 1 2 3; do mosquitto_pub -i pub -h 10.0.0.1 -t news -q 1 -m item-$i; done",
    );
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
    const commands = ["set k 0 0 5", "hello", "get k", "incr n 1", "delete k", "get k", "quit", ""];
    const run = await record(
      plg,
      "--until=client",
      "server=exec memcached -u nobody -U 0 -m 16",
      `client=printf '${commands.join("\\r\\n")}' | nc -N 10.0.0.1 11211`,
    );
    const answers = linesOf(run, "client");
    expect(answers).toContain("hello\r");
    for (const options of [[], ["--only=client"]])
      expect((await expectSame(plg, ...options)).lines("client")).toEqual(answers);
    await expectSame(plg, "--only=server");
  });
});
