/** What was said on one connection, as text: of each event of it who did it and when, and what was sent. */
import { Direction } from "../base/direction.ts";
import type { StreamItem } from "../dump/format/decoder.ts";
import type { RunInfo } from "../dump/format/schema.ts";
import { asHex, asText } from "./bytes.ts";
import { eventLabel, timeLabel } from "./events.ts";

/** How bytes are shown: as they read, or in hexadecimal. */
export type Notation = "text" | "hexadecimal";

/** Whose connection it is. */
export function renderParties({ containers }: RunInfo, { connection }: StreamItem): string {
  const [client, server] = [connection.client, connection.server].map(
    ({ container, port }) => `${containers[container]?.name}:${port}`,
  );
  return `connection ${connection.number}, ${client} \u2192 ${server}\n`;
}

/** An event of it: a line, and what was sent behind it. Every line ends in a newline, none gives a terminal orders. */
export function renderEvent(run: RunInfo, item: StreamItem, notation: Notation): string {
  const { kind, connection, direction, atNs, payload, streamOffset } = item;
  const { client, server } = connection;
  const by = direction === Direction.toServer ? client : server;
  const name = run.containers[by.container]?.name ?? "";
  const line = `${timeLabel(atNs)}  ${name}  ${eventLabel(kind, payload.length, server.port)}\n`;
  if (payload.length === 0) return line;
  const said = notation === "text" ? asText(payload) : asHex(payload, streamOffset);
  return `${line}${said.replace(/\n$/, "").replaceAll(/^(?=.)/gm, "  ")}\n`;
}
