/** Traffic and response latencies of each pair of containers. */
import { Direction } from "../base/direction.ts";
import { formatBytes, plural } from "../base/text.ts";
import type { StreamItem } from "../dump/format/decoder.ts";
import { RecordKind, type RunInfo } from "../dump/format/schema.ts";

/** The most latencies kept of a pair. On reaching it, every second one is dropped. */
const mostLatencies = 65_536;

/** The statistics of one client and one port of a server. Times are in nanoseconds. */
export interface PairStats {
  readonly client: string;
  readonly server: string;
  readonly serverPort: number;
  connections: number;
  bytesToServer: number;
  bytesToClient: number;
  /** The number of times the server began to answer. */
  answers: number;
  /** From the client's last bytes to the server's first. */
  readonly latency: { readonly medianNs: number; readonly p99Ns: number; readonly mostNs: number };
}

interface Pair extends Omit<PairStats, "latency"> {
  readonly latenciesNs: number[];
  stride: number;
}

/** Folds the items of one recording. */
export class PairFold {
  readonly #names: readonly string[];
  readonly #pairs = new Map<string, Pair>();
  /** By connection: the time of the client's last bytes, until the server answers. */
  readonly #askedNs = new Map<number, number>();

  constructor(run: RunInfo) {
    this.#names = run.containers.map(({ name }) => name);
  }

  add({ kind, connection, direction, payload, atNs }: StreamItem): void {
    const pair = this.#pairOf(connection);
    const { number } = connection;
    if (kind === RecordKind.connect) pair.connections++;
    // A client may close its side and still wait for the answer.
    const isOver = kind === RecordKind.end && direction === Direction.toClient;
    if (isOver || kind === RecordKind.reset) this.#askedNs.delete(number);
    if (kind !== RecordKind.data) return;
    if (direction === Direction.toServer) {
      pair.bytesToServer += payload.length;
      this.#askedNs.set(number, atNs);
      return;
    }
    pair.bytesToClient += payload.length;
    const askedNs = this.#askedNs.get(number);
    if (askedNs === undefined) return;
    this.#askedNs.delete(number);
    noteLatency(pair, atNs - askedNs);
  }

  /** Returns the pairs, by descending number of bytes. */
  report(): PairStats[] {
    return [...this.#pairs.values()]
      .toSorted((a, b) => bytesOf(b) - bytesOf(a))
      .map(({ latenciesNs, stride: _stride, ...pair }) => {
        const sorted = latenciesNs.toSorted((a, b) => a - b);
        const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
        return { ...pair, latency: { medianNs: at(0.5), p99Ns: at(0.99), mostNs: at(1) } };
      });
  }

  #pairOf({ client, server }: StreamItem["connection"]): Pair {
    const key = `${client.container} ${server.container} ${server.port}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = {
        client: this.#names[client.container] as string,
        server: this.#names[server.container] as string,
        serverPort: server.port,
        connections: 0,
        bytesToServer: 0,
        bytesToClient: 0,
        answers: 0,
        latenciesNs: [],
        stride: 1,
      };
      this.#pairs.set(key, pair);
    }
    return pair;
  }
}

function bytesOf({ bytesToServer, bytesToClient }: Pair): number {
  return bytesToServer + bytesToClient;
}

function noteLatency(pair: Pair, latencyNs: number): void {
  pair.answers++;
  if (pair.answers % pair.stride !== 0) return;
  pair.latenciesNs.push(latencyNs);
  if (pair.latenciesNs.length < mostLatencies) return;
  const kept = pair.latenciesNs.filter((_, i) => i % 2 === 0);
  pair.latenciesNs.splice(0, pair.latenciesNs.length, ...kept);
  pair.stride *= 2;
}

/** Renders the pairs as lines. Each ends in a newline. */
export function renderPairs(pairs: readonly PairStats[]): string {
  if (pairs.length === 0) return "no connections\n";
  return pairs.map((pair) => `${lineOf(pair)}\n`).join("");
}

function lineOf(pair: PairStats): string {
  const { client, server, serverPort, connections, answers, latency } = pair;
  const sent = `${formatBytes(pair.bytesToServer)} sent, ${formatBytes(pair.bytesToClient)} received`;
  const times =
    answers === 0
      ? "no answer"
      : `${plural(answers, "answer")} after ${milliseconds(latency.medianNs)} (median), ${milliseconds(latency.p99Ns)} (99 %), ${milliseconds(latency.mostNs)} (longest)`;
  return `${client} \u2192 ${server}:${serverPort}: ${plural(connections, "connection")}, ${sent}; ${times}`;
}

function milliseconds(ns: number): string {
  return `${(ns / 1e6).toFixed(3)} ms`;
}
