/**
 * Connects to the echo server, exchanges a message and closes, again and again. Arguments: address,
 * port, seconds. Prints two rates as JSON, in connections per second: that of the first thousand,
 * and the steady rate. They differ because Node compiles code while it runs, in plg and in both
 * programs.
 */
import { closeSocket, connectTo, exchangeMessage } from "./blocking-socket.ts";

const firstConnections = 1000;
/** From here on the rate is steady, because the hot code has been compiled. */
const warmUpConnections = 5000;
/**
 * Each connection leaves its port in TIME_WAIT for a minute. connect(2) prefers the even half of
 * the 28,000 ephemeral ports (__inet_hash_connect in the kernel). Once these 14,000 are used, it
 * searches through all of them every time: on the direct link the rate falls from 14,000/s to some
 * hundreds.
 */
const mostConnections = 13_000;

const [address = "", port, seconds] = process.argv.slice(2);
const first = measure(firstConnections);
measure(warmUpConnections - firstConnections);
const sustained = measure(mostConnections - warmUpConnections, Number(seconds));
process.stdout.write(`${JSON.stringify([first, sustained])}\n`);

/**
 * Opens `most` connections, or as many as fit into `durationS`. Returns their number per second.
 */
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
