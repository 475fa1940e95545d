import type { Family, Port } from "../../base/units.ts";

/** A TCP connection between two containers, as both of them see it. Containers are named by index. */
export interface Connection {
  readonly family: Family;
  readonly client: number;
  readonly clientPort: Port;
  readonly server: number;
  readonly serverPort: Port;
}

/** A key under which a connection is found again. Unique among those that exist at one time. */
export function connectionKey(connection: Connection): string {
  const { family, client, clientPort, server, serverPort } = connection;
  return `${family}/${client}:${clientPort}>${server}:${serverPort}`;
}
