/**
 * How long things take over TCP.
 *
 *   serve PORT                       echoes what comes, and goes on until it is stopped
 *   measure HOST PORT COUNT          connects COUNT times, exchanges a byte COUNT times; prints the least of each
 *   refuse HOST PORT COUNT           the same for connections that are refused
 *   upload HOST PORT BYTES           sends so much and waits until it has come back; prints how long that took
 *                                    and what /proc/net/snmp has of segments that were sent again
 */
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { once } from "node:events";

const [verb, ...args] = process.argv.slice(2);
const say = (name, value) => console.log(`${name} ${value}`);

async function timed(action) {
  const startedMs = performance.now();
  const result = await action();
  return { result, ms: performance.now() - startedMs };
}

async function leastOf(count, action) {
  let leastMs = Infinity;
  for (let i = 0; i < count; i++) leastMs = Math.min(leastMs, (await timed(action)).ms);
  return leastMs.toFixed(2);
}

async function dial(host, port) {
  const socket = connect(port, host);
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

/** The kernel's counter of this network namespace: RFC 4022, tcpRetransSegs. */
function retransmitted() {
  const [names, values] = readFileSync("/proc/self/net/snmp", "latin1")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  return Number(values[names.indexOf("RetransSegs")]);
}

const verbs = {
  serve: (port) => {
    createServer((socket) => socket.setNoDelay(true).pipe(socket)).listen(Number(port), () =>
      say("listening", port),
    );
  },
  measure: async (host, port, count) => {
    const connectMs = await leastOf(count, async () => (await dial(host, port)).destroy());
    say("connect", connectMs);
    const socket = await dial(host, port);
    const exchange = async () => {
      socket.write("x");
      await once(socket, "data");
    };
    say("round-trip", await leastOf(count, exchange));
    socket.end();
  },
  refuse: async (host, port, count) => {
    const attempt = () =>
      dial(host, port).catch(({ code }) => code === "ECONNREFUSED" || say("error", code));
    say("refused", await leastOf(count, attempt));
  },
  upload: async (host, port, count) => {
    const socket = await dial(host, port);
    const sent = Buffer.alloc(Number(count), "0123456789abcdef");
    const received = [];
    let receivedBytes = 0;
    socket.on("data", (chunk) => {
      received.push(chunk);
      receivedBytes += chunk.length;
    });
    const before = retransmitted();
    const { ms } = await timed(async () => {
      socket.write(sent);
      while (receivedBytes < sent.length) await once(socket, "data");
    });
    say("uploaded", Math.round(ms));
    say("same", sent.equals(Buffer.concat(received)));
    say("retransmitted", retransmitted() - before);
    socket.end();
  },
};

await verbs[verb](...args);
