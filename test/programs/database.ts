/**
 * A PostgreSQL cluster for a test. PostgreSQL refuses to be root, so it is the user postgres', to
 * whom only root can change.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programPath } from "./program-path.ts";

/** Put before a command, it is run as the one who may. */
export const asDatabaseUser = "setpriv --reuid=postgres --regid=postgres --init-groups";

/** Makes a database cluster in the folder, which others can enter. */
export function initDatabase(folder: string): string {
  const data = join(folder, "data");
  const run = (command: string): void => {
    const env = { PATH: programPath };
    execFileSync("/bin/sh", ["-c", command], { cwd: folder, stdio: "pipe", env });
  };
  mkdirSync(data);
  run("chown postgres:postgres data");
  chmodSync(data, 0o700);
  run(`${asDatabaseUser} initdb -D ${data} -U postgres --auth=trust --no-sync --no-locale -E UTF8`);
  // initdb allows connections from this machine alone.
  const clients = "host all all 10.0.0.0/24 trust\nhost all all fd00::/8 trust\n";
  writeFileSync(join(data, "pg_hba.conf"), clients);
  run("cp -a data fresh");
  return data;
}

/** The cluster as it was made. */
export function restoreDatabase(folder: string): void {
  rmSync(join(folder, "data"), { recursive: true, force: true });
  execFileSync("cp", ["-a", join(folder, "fresh"), join(folder, "data")]);
}

/** The server's command, for all comers. */
export function postgres(data: string): string {
  return `postgres -D '${data}' -c listen_addresses='*' -c unix_socket_directories='' -c fsync=off`;
}
