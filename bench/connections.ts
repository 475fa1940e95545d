/**
 * Connects to the echo server, exchanges one message, closes, again and again. Arguments: address,
 * port, seconds. Prints the connections per second, as JSON.
 */
import { closeSocket, connectTo, exchangeMessage } from "./blocking-socket.ts";

const warmUpConnections = 200;
/** Each leaves its port in TIME_WAIT for a minute, and there are 28,000 of them (ip_local_port_range). */
const mostConnections = 20_000;

const [address = "", port, seconds] = process.argv.slice(2);
for (let i = 0; i < warmUpConnections; i++) connectOnce();
process.stdout.write(`${JSON.stringify([measure(Number(seconds))])}\n`);

function measure(durationS: number): number {
  const startMs = performance.now();
  const endMs = startMs + durationS * 1000;
  let count = 0;
  for (; performance.now() < endMs && count < mostConnections; count++) connectOnce();
  return (count * 1000) / (performance.now() - startMs);
}

function connectOnce(): void {
  const fd = connectTo(address, Number(port));
  exchangeMessage(fd);
  closeSocket(fd);
}
