/**
 * What runs under plg: real programs that keep each other busy, and start again whenever they are
 * killed.
 */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { asDatabaseUser, initDatabase, postgres } from "../programs/database.ts";

/**
 * The programs that are killed, by how their command lines begin or what is in them. The shells
 * around them live on.
 */
export const victims: RegExp =
  /^\d+ (redis-server|redis-benchmark|nginx|curl|pgbench|\S*node\S* \S*ledger\.mjs ask)/;

/** So that a dump does not fill the disk in an hour: about 4 MB a second in all. */
const breath = "sleep 0.2";

export interface Load {
  readonly commands: readonly string[];
  /** The port that the ledgers' connections go to, and their files. */
  readonly ledgerPort: number;
  readonly ledgers: { readonly client: string; readonly server: string };
}

/** Prepares the programs' files in `folder`. */
export function prepareLoad(folder: string, ledgerScript: string): Load {
  const ledgers = { client: join(folder, "client.ledger"), server: join(folder, "server.ledger") };
  const ledgerPort = 9000;
  for (const file of Object.values(ledgers)) writeFileSync(file, "");
  const node = `'${process.execPath}' '${ledgerScript}'`;
  const page = join(folder, "page");
  writeFileSync(page, randomBytes(1_000_000));
  return {
    ledgerPort,
    ledgers,
    commands: [
      again("cache", "redis-server --bind 0.0.0.0 :: --protected-mode no --save '' --dir ."),
      again("shopper", `redis-benchmark -h cache -c 20 -n 3000 -t set,get,incr -q; ${breath}`),
      again("site", `nginx -c '${nginxConfiguration(folder)}'`),
      // What came is compared with what was sent.
      again(
        "reader",
        `curl -sS --max-time 20 http://site/page -o got && { cmp got '${page}' || echo OTHER BYTES; }; ${breath}`,
      ),
      ...database(folder),
      `writer=exec ${node} serve ${ledgerPort} '${ledgers.server}'`,
      again("teller", `${node} ask writer ${ledgerPort} '${ledgers.client}'`),
    ],
  };
}

/** One who is killed begins anew; what they say of that is of no interest. */
function again(name: string, command: string): string {
  return `${name}=while :; do ${command}; sleep 0.05; done 2>/dev/null`;
}

function nginxConfiguration(folder: string): string {
  const path = join(folder, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    path,
    `daemon off; master_process off; error_log /dev/null; pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(" ")}
      server { listen 80; listen [::]:80; root ${folder}; }
    }`,
  );
  return path;
}

/** It is not killed: after that it takes its time to recover. */
function database(folder: string): string[] {
  const data = initDatabase(folder);
  return [
    `bank=exec ${asDatabaseUser} ${postgres(data)} 2>/dev/null`,
    `customers=until pg_isready -q -h bank; do sleep 0.1; done
      pgbench -q -h bank -U postgres -i -s 1 postgres 2>/dev/null
      while :; do pgbench -h bank -U postgres -c 4 -T 3 postgres 2>/dev/null >/dev/null; ${breath}; done`,
  ];
}
