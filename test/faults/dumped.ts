/**
 * What a dump holds of the flows of actors/flow.mjs: read by plg's own decoder, and checked byte by
 * byte.
 */
import { Direction } from "../../src/base/direction.ts";
import { readDump } from "../../src/dump/store/reader.ts";
import { RecordKind } from "../../src/dump/format/schema.ts";

export interface Dumped {
  /** The recording was ended properly. */
  readonly complete: boolean;
  readonly connections: number;
  /** Of the connection to this port: what its client sent. */
  readonly bytes: number;
  /** The same as text, if it was asked for. */
  readonly text: string;
}

/** Reads all of a dump; throws if it is damaged, or if the flow in it is. */
export function dumped(path: string, port: number, kind: "flow" | "text" = "flow"): Dumped {
  const items = readDump(path);
  const texts: string[] = [];
  let bytes = 0;
  let connections = 0;
  for (;;) {
    const step = items.next();
    if (step.done)
      return { complete: step.value.complete, connections, bytes, text: texts.join("") };
    const item = step.value;
    if (item.type !== "stream") continue;
    if (item.kind === RecordKind.connect)
      connections = Math.max(connections, item.connection.number);
    if (item.kind !== RecordKind.data || item.direction !== Direction.toServer) continue;
    if (item.connection.server.port !== port) continue;
    if (kind === "flow") checkFlow(item.payload, bytes);
    else texts.push(Buffer.from(item.payload).toString("latin1"));
    bytes += item.payload.length;
  }
}

function checkFlow(payload: Uint8Array, from: number): void {
  for (let i = 0; i < payload.length; i++) {
    const at = from + i;
    if (payload[i] !== (((at >>> 2) >>> (8 * (at & 3))) & 0xff))
      throw new Error(`the dump has another byte at ${at} of the flow`);
  }
}
