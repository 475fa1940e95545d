/**
 * Real programs that do the same each time they are run the same way: what is recorded of them must
 * replay without a difference, however often.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { initDatabase, postgres, restoreDatabase } from "./database.ts";
import { nginx } from "./servers.ts";

/** A run to record, and the ways to replay it. */
export interface ReplayFixture {
  readonly name: string;
  /** What the machine must have. */
  readonly programs: readonly string[];
  readonly needsRoot?: boolean;
  /** Makes what the programs need; returns the arguments of `plg record`. */
  readonly prepare: (folder: string) => readonly string[];
  /** The arguments of `plg replay`: they are taken in turns. */
  readonly ways: readonly (readonly string[])[];
  /** Before each replay: what the programs have written since is as it was. */
  readonly startAfresh?: (folder: string) => void;
}

/**
 * Redis with several clients, among them subscribers: who listens is woken by what another client
 * does.
 */
export const redisClients = ["first", "second", "pub", "work"];

const subscriber = (name: string): string =>
  `${name}=stdbuf -oL redis-cli -h server subscribe news | tee ${name}.log`;

export const redisCommands: readonly string[] = [
  "server=exec redis-server --bind 0.0.0.0 :: --protected-mode no --save '' --dir . >server.log",
  subscriber("first"),
  subscriber("second"),
  // Publishes only when both have subscribed, and ends when the others are through, so that every
  // run is the same.
  `pub=until grep -q ^1 first.log && grep -q ^1 second.log; do sleep 0.02; done;
  for i in 1 2 3; do redis-cli -h server publish news item-$i; done;
  until [ -e worked ] && grep -q item-3 first.log && grep -q item-3 second.log; do sleep 0.02; done;
  redis-cli -h server set done yes`,
  `work=redis-cli -h server --raw rpush list a b c;
  for i in 1 2 3 4 5; do redis-cli -h server incr n; done; touch worked`,
];

/** HTTP tells the time. */
export const nginxDate = "server:80/^Date: .*$/m";

/**
 * PostgreSQL draws a key for each session: BackendKeyData is a K, its length, a process id and a
 * secret.
 */
export const postgresKey = "db:5432/K\\x00\\x00\\x00\\x0c[^]{8}/";

export const queries = `create table fruit(id int primary key, name text);
insert into fruit select i, 'fruit ' || i from generate_series(1, 500) i;
select count(*), sum(id) from fruit;
select name from fruit where id % 100 = 7;
select * from nothing;
`;

export const psql = "psql -h 10.0.0.1 -U postgres -tA -f queries.sql postgres 2>&1";

export const mosquittoCommands: readonly string[] = [
  "broker=exec mosquitto -c mosquitto.conf",
  "subscriber=stdbuf -oL mosquitto_sub -i sub -d -h 10.0.0.1 -t news -q 1 -C 3 | tee subscriber.log",
  "publisher=until grep -q SUBACK subscriber.log; do sleep 0.02; done; for i in 1 2 3; do mosquitto_pub -i pub -h 10.0.0.1 -t news -q 1 -m item-$i; done",
];

export function configureMosquitto(folder: string): void {
  writeFileSync(join(folder, "mosquitto.conf"), "listener 1883\nallow_anonymous true\n");
}

const memcachedQuestions = ["set k 0 0 5", "hello", "get k", "incr n 1", "delete k", "get k"];

export const memcachedCommands: readonly string[] = [
  "server=exec memcached -u nobody -U 0 -m 16",
  `client=printf '${[...memcachedQuestions, "quit", ""].join("\\r\\n")}' | nc -N 10.0.0.1 11211`,
];

const everyone: readonly string[] = [];

export const replayFixtures: readonly ReplayFixture[] = [
  {
    name: "redis with publisher and subscribers",
    programs: ["redis-server", "redis-cli", "stdbuf"],
    prepare: () => ["--until=pub", ...redisCommands],
    ways: [everyone, ["--only=server"], ["--order=global"], ["--only=first,pub"]],
  },
  {
    name: "nginx and curl",
    programs: ["nginx", "curl"],
    prepare: (folder) => [
      "--until=client",
      nginx(folder, { page: "hello\n".repeat(50_000), other: "world\n" }),
      "client=curl -sS --fail http://10.0.0.1/page http://10.0.0.1/other | md5sum",
    ],
    ways: [everyone, ["--only=server"], ["--only=client"]].map((way) => [
      ...way,
      `--ignore=${nginxDate}`,
    ]),
  },
  {
    name: "PostgreSQL and psql",
    programs: ["initdb", "postgres", "psql"],
    needsRoot: true,
    prepare: (folder) => {
      writeFileSync(join(folder, "queries.sql"), queries);
      // It listens a moment before it is ready: whoever comes then is sent away.
      const server = `db=exec ${postgres(initDatabase(folder))}`;
      return ["--until=client", "--uid=postgres", server, `client=sleep 1.5; ${psql}`];
    },
    ways: [
      ["--only=db", `--ignore=${postgresKey}`],
      ["--only=client", `client=${psql}`],
    ].map((way) => ["--uid=postgres", ...way]),
    startAfresh: restoreDatabase,
  },
  {
    name: "mosquitto with publisher and subscriber",
    programs: ["mosquitto", "mosquitto_sub", "mosquitto_pub", "stdbuf"],
    prepare: (folder) => {
      configureMosquitto(folder);
      return ["--until=subscriber", ...mosquittoCommands];
    },
    ways: [everyone, ["--only=broker"], ["--only=subscriber"], ["--only=publisher"]],
  },
  {
    name: "memcached and nc",
    programs: ["memcached", "nc"],
    prepare: () => ["--until=client", ...memcachedCommands],
    ways: [everyone, ["--only=server"], ["--only=client"]],
  },
];
