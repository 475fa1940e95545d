/**
 * Compares, connection by connection, what was sent, what is in the dump, and what was received. A
 * connection that both ends brought to its end must be the same in all three, byte by byte; one
 * that a kill or a fault cut off must at least not be longer in the dump than what was sent of it.
 */
import { createHash, type Hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readDump } from "../../src/dump/store/reader.ts";

interface Sum {
  readonly bytes: number;
  readonly sha256: string;
}

/** A line of a ledger: one end's account of a connection. */
interface Entry {
  readonly id: string;
  readonly sent: Sum;
  readonly received: Sum;
}

/** A connection in the dump. */
interface Dumped {
  /** To the server, and to the client. */
  readonly bytes: [number, number];
  readonly hashes: readonly [Hash, Hash];
  id: Buffer;
}

export interface Accounts {
  /** How many connections of the ledgers came to their end, and with how many bytes. */
  readonly whole: number;
  readonly bytes: number;
  /** How many are in the dump that did not. */
  readonly cutOff: number;
  /** All connections of the dump, and all bytes. */
  readonly connections: number;
  readonly dumpedBytes: number;
  /** What does not agree. */
  readonly problems: readonly string[];
}

const idBytes = 16;

export function balance(
  path: string,
  port: number,
  ledgers: { readonly client: string; readonly server: string },
): Accounts {
  const { byId, connections, dumpedBytes, attempts } = readDumped(path, port);
  const [client, server] = [readLedger(ledgers.client), readLedger(ledgers.server)];
  const problems: string[] = [];
  let [whole, bytes] = [0, 0];
  for (const [id, asked] of client) {
    const served = server.get(id);
    const dumped = byId.get(id);
    if (served === undefined) continue;
    whole++;
    bytes += asked.sent.bytes + asked.received.bytes;
    if (dumped === undefined) problems.push(`connection ${id} is not in the dump`);
    else problems.push(...compare(id, asked, served, dumped));
  }
  return { whole, bytes, cutOff: attempts - whole, connections, dumpedBytes, problems };
}

function compare(id: string, asked: Entry, served: Entry, dumped: Dumped): string[] {
  const [toServer, toClient] = dumped.bytes.map((bytes, i) => ({
    bytes,
    sha256: dumped.hashes[i as 0 | 1].copy().digest("hex"),
  })) as [Sum, Sum];
  const ways: readonly (readonly [string, Sum, Sum, Sum])[] = [
    ["to the server", asked.sent, toServer, served.received],
    ["to the client", served.sent, toClient, asked.received],
  ];
  return ways
    .filter(
      ([, ...sums]) => new Set(sums.map(({ bytes, sha256 }) => `${bytes} ${sha256}`)).size > 1,
    )
    .map(
      ([way, sent, inDump, received]) =>
        `connection ${id} ${way}: ${sent.bytes} bytes sent, ${inDump.bytes} in the dump, ${received.bytes} received, or other ones`,
    );
}

function readDumped(path: string, port: number) {
  const byNumber = new Map<number, Dumped>();
  const byId = new Map<string, Dumped>();
  let [connections, dumpedBytes, attempts] = [0, 0, 0];
  for (const item of readDump(path)) {
    if (item.type !== "stream") continue;
    const { connection, direction, payload, kind } = item;
    connections = Math.max(connections, connection.number);
    dumpedBytes += payload.length;
    if (connection.server.port !== port) continue;
    const dumped = byNumber.get(connection.number) ?? {
      bytes: [0, 0],
      hashes: [createHash("sha256"), createHash("sha256")],
      id: Buffer.alloc(0),
    };
    byNumber.set(connection.number, dumped);
    if (kind === 1) attempts++;
    dumped.bytes[direction] += payload.length;
    dumped.hashes[direction].update(payload);
    if (direction !== 0 || dumped.id.length === idBytes) continue;
    dumped.id = Buffer.concat([dumped.id, payload]).subarray(0, idBytes);
    if (dumped.id.length === idBytes) byId.set(dumped.id.toString("hex"), dumped);
  }
  return { byId, connections, dumpedBytes, attempts };
}

/** The last line may have been cut off by a kill. */
function readLedger(path: string): Map<string, Entry> {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  const entries = lines.map((line) => JSON.parse(line) as Entry);
  return new Map(entries.map((entry) => [entry.id, entry]));
}
