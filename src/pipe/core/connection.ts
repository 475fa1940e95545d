import type { ContainerIndex } from "../../base/ids.ts";
import type { Family, Port } from "../../base/units.ts";

/** A TCP connection between two containers, as both see it. Containers are given by index. */
export interface Connection {
  readonly family: Family;
  readonly client: ContainerIndex;
  readonly clientPort: Port;
  readonly server: ContainerIndex;
  readonly serverPort: Port;
}

/** The map key of a connection, unique among the connections that exist at one time. */
export function connectionKey(connection: Connection): string {
  const { family, client, clientPort, server, serverPort } = connection;
  return `${family}/${client}:${clientPort}>${server}:${serverPort}`;
}
