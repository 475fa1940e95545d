/**
 * Connects to the echo server, exchanges one message, closes, again and again. Arguments: address,
 * port, seconds. Prints two rates as JSON, in connections per second: that of the first thousand, and the one
 * at which it goes on. They differ, because Node compiles what runs while it runs, in plg and in both programs.
 */
import { closeSocket, connectTo, exchangeMessage } from "./blocking-socket.ts";

const firstConnections = 1000;
/** From here on the rate changes no more: all that is used often has been compiled. */
const warmUpConnections = 5000;
/**
 * Each leaves its port in TIME_WAIT for a minute. connect(2) prefers one half of the 28,000 ephemeral
 * ports (the even ones, __inet_hash_connect in the kernel), and when these 14,000 are used up it looks
 * through all of them each time: direct, the rate falls from 14,000/s to some hundreds.
 */
const mostConnections = 13_000;

const [address = "", port, seconds] = process.argv.slice(2);
const first = measure(firstConnections);
measure(warmUpConnections - firstConnections);
const sustained = measure(mostConnections - warmUpConnections, Number(seconds));
process.stdout.write(`${JSON.stringify([first, sustained])}\n`);

/** Makes `most` connections, or as many as come about in `durationS`. Returns how many a second. */
function measure(most: number, durationS = Infinity): number {
  const startMs = performance.now();
  const endMs = startMs + durationS * 1000;
  let count = 0;
  for (; performance.now() < endMs && count < most; count++) connectOnce();
  return (count * 1000) / (performance.now() - startMs);
}

function connectOnce(): void {
  const fd = connectTo(address, Number(port));
  exchangeMessage(fd);
  closeSocket(fd);
}
