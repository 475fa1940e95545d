/** Read-only pgbench. One cluster serves all rounds. PostgreSQL refuses to run as root. */
import { type Measurement, numberIn, quoted, serverAddress, type Setting } from "./measurement.ts";

const asPostgres = "setpriv --reuid=postgres --regid=postgres --init-groups";
/** `pgbench -i` creates 100,000 rows per unit. */
const scale = 10;
const target = `-h ${serverAddress} -U postgres`;
const database = `${target} postgres`;

function dataFolder({ folder }: Setting): string {
  return quoted(`${folder}/postgres`);
}

function create(setting: Setting): string {
  const data = dataFolder(setting);
  return [
    `install -d -o postgres -m 700 ${data}`,
    `cd ${data}`,
    `${asPostgres} ${setting.program("initdb")} -D ${data} -A trust --no-sync -E UTF8 --locale C`,
    `echo 'host all all 10.0.0.0/24 trust' >>${data}/pg_hba.conf`,
  ].join(" && ");
}

/** The lock file of a killed server would prevent this one from starting. */
function serve(setting: Setting): string {
  const data = dataFolder(setting);
  const settings = "-c listen_addresses='*' -c unix_socket_directories='' -c fsync=off";
  return `cd ${data} && rm -f postmaster.pid && exec ${asPostgres} ${setting.program("postgres")} -D ${data} ${settings}`;
}

/** It listens some time before it is ready. */
function whenReady({ program }: Setting): string {
  return `until ${program("pg_isready")} -q ${target}; do sleep 0.1; done`;
}

export const postgres: Measurement = {
  name: "postgres",
  needs: [
    { program: "initdb" },
    { program: "postgres" },
    { program: "pg_isready" },
    { program: "pgbench" },
    { program: "setpriv" },
    { user: "postgres" },
  ],
  port: 5432,
  figures: [{ name: "pgbench -S, 8 clients", unit: "/s" }],
  prepare: (setting) => ({
    server: `${create(setting)} && ${serve(setting)}`,
    client: `${whenReady(setting)}; exec ${setting.program("pgbench")} -i -q -s ${scale} ${database}`,
  }),
  commands: (setting) => ({
    server: serve(setting),
    client: `${whenReady(setting)}; exec ${setting.program("pgbench")} -S -c 8 -j 2 -T ${setting.seconds} ${database}`,
  }),
  read: (output) => [numberIn(output, /tps = ([\d.]+)/)],
};
