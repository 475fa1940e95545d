/** The measurements, in the order in which they run. */
import { fileURLToPath } from "node:url";
import {
  type Measurement,
  numberIn,
  quoted,
  serverAddress as server,
  type Setting,
} from "./measurement.ts";
import { postgres } from "./postgres.ts";

/** A program of this folder, run by the Node that runs the benchmark. */
function own(name: string): string {
  return `exec ${quoted(process.execPath)} ${quoted(fileURLToPath(new URL(`${name}.js`, import.meta.url)))}`;
}

function throughput(streams: number): Measurement {
  return {
    name: `throughput-${streams}`,
    needs: [{ program: "iperf3" }],
    port: 5201,
    fillsDisk: true,
    figures: [{ name: `throughput, ${streams} stream${streams === 1 ? "" : "s"}`, unit: "Gb/s" }],
    commands: ({ seconds, program }) => ({
      server: `exec ${program("iperf3")} -s`,
      client: `exec ${program("iperf3")} -J -c ${server} -t ${seconds} -P ${streams}`,
    }),
    read: (output) => [receivedBitsPerSecond(output) / 1e9],
  };
}

/** The bytes that the server received, which are fewer than the client's kernel accepted. */
function receivedBitsPerSecond(output: string): number {
  const report = JSON.parse(output) as {
    readonly end?: { readonly sum_received?: { readonly bits_per_second?: number } };
    readonly error?: string;
  };
  const rate = report.end?.sum_received?.bits_per_second;
  if (rate === undefined) throw new Error(`iperf3 says: ${report.error ?? "nothing"}`);
  return rate;
}

const roundTrip: Measurement = {
  name: "round-trip",
  needs: [],
  port: 7000,
  figures: [
    { name: "round trip of 64 B, p50", unit: "us" },
    { name: "round trip of 64 B, p99", unit: "us" },
  ],
  commands: ({ seconds }) => ({
    server: `${own("echo-server")} 7000`,
    client: `${own("round-trips")} ${server} 7000 ${seconds}`,
  }),
  read: (output) => JSON.parse(output) as number[],
};

const connections: Measurement = {
  name: "connections",
  needs: [],
  port: 7000,
  figures: [
    { name: "connections, the first 1000", unit: "/s" },
    { name: "connections, one by one", unit: "/s" },
  ],
  commands: ({ seconds }) => ({
    server: `${own("echo-server")} 7000`,
    client: `${own("connections")} ${server} 7000 ${seconds}`,
  }),
  read: (output) => JSON.parse(output) as number[],
};

const redis: Measurement = {
  name: "redis",
  needs: [{ program: "redis-server" }, { program: "redis-benchmark" }],
  port: 6379,
  figures: [
    { name: "redis SET, 50 clients", unit: "/s" },
    { name: "redis GET, 50 clients", unit: "/s" },
  ],
  commands: ({ program }) => ({
    server: `exec ${program("redis-server")} --bind 0.0.0.0 --protected-mode no --save '' --appendonly no`,
    client: `exec ${program("redis-benchmark")} -h ${server} -n 100000 -c 50 -t get,set -q`,
  }),
  read: (output) => [
    numberIn(output, /SET: ([\d.]+) requests per second/),
    numberIn(output, /GET: ([\d.]+) requests per second/),
  ],
};

const nginx: Measurement = {
  name: "nginx",
  needs: [{ program: "nginx" }, { program: "wrk" }],
  port: 8080,
  figures: [{ name: "nginx, wrk with 50 clients", unit: "/s" }],
  commands: (setting) => ({
    server: nginxServer(setting),
    client: `exec ${setting.program("wrk")} -t 1 -c 50 -d ${setting.seconds}s http://${server}:8080/`,
  }),
  read: (output) => [numberIn(output, /Requests\/sec:\s+([\d.]+)/)],
};

/**
 * The configuration has the answer, and connections are kept alive: this measures requests, not
 * files.
 */
function nginxServer({ folder, program }: Setting): string {
  const settings = [
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr;`,
    "events { worker_connections 1024; }",
    "http { access_log off; keepalive_requests 1000000000;",
    'server { listen 8080; location / { return 200 "hello from nginx"; } } }',
  ].join("\n");
  const file = quoted(`${folder}/nginx.conf`);
  return `printf '%s\\n' ${quoted(settings)} >${file}; exec ${program("nginx")} -e stderr -c ${file}`;
}

export const measurements: readonly Measurement[] = [
  throughput(1),
  throughput(8),
  roundTrip,
  connections,
  redis,
  postgres,
  nginx,
];
