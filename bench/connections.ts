/**
 * Connects to the echo server, exchanges one message, closes, again and again. Arguments: address,
 * port, seconds. Prints the connections per second, as JSON.
 */
import { closeSocket, connectTo, exchangeMessage } from "./blocking-socket.ts";

const warmUpConnections = 200;
/**
 * Each leaves its port in TIME_WAIT for a minute. connect(2) prefers one half of the 28,000 ephemeral
 * ports (the even ones, __inet_hash_connect in the kernel), and when these 14,000 are used up it looks
 * through all of them each time: direct, the rate falls from 14,000/s to some hundreds.
 */
const mostConnections = 8000;

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
