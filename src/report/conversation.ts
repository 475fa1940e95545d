/** Renders one connection as text: for each event its sender, its time and the bytes sent. */
import { Direction } from "../base/direction.ts";
import type { StreamItem } from "../dump/format/decoder.ts";
import type { RunInfo } from "../dump/format/schema.ts";
import { asHex, asText } from "./bytes.ts";
import { eventLabel, timeLabel } from "./events.ts";

/** The notation of bytes: as text or in hexadecimal. */
export type Notation = "text" | "hexadecimal";

/** Renders the connection's number and its two ends. */
export function renderParties({ containers }: RunInfo, { connection }: StreamItem): string {
  const [client, server] = [connection.client, connection.server].map(
    ({ container, port }) => `${containers[container]?.name}:${port}`,
  );
  return `connection ${connection.number}, ${client} \u2192 ${server}\n`;
}

/**
 * Renders an event: a line, then the bytes sent. Every line ends in a newline, and none can control
 * the terminal.
 */
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
