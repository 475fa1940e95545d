/**
 * Plays ping-pong with the echo server over one connection. Arguments: address, port, seconds.
 * Prints the median and the 99th percentile of the round trips in microseconds, as JSON.
 */
import { closeSocket, connectTo, exchangeMessage } from "./blocking-socket.ts";

const warmUpRounds = 2000;
const mostSamples = 2_000_000;

const [address = "", port, seconds] = process.argv.slice(2);
const samples = takeSamples(address, Number(port), Number(seconds)).toSorted();
process.stdout.write(`${JSON.stringify([percentile(50), percentile(99)])}\n`);

function takeSamples(host: string, at: number, durationS: number): Float64Array {
  const taken = new Float64Array(mostSamples);
  const fd = connectTo(host, at);
  for (let i = 0; i < warmUpRounds; i++) exchangeMessage(fd);
  let count = 0;
  const endMs = performance.now() + durationS * 1000;
  for (let nowMs = performance.now(); nowMs < endMs && count < mostSamples; count++) {
    exchangeMessage(fd);
    const backMs = performance.now();
    taken[count] = (backMs - nowMs) * 1000;
    nowMs = backMs;
  }
  closeSocket(fd);
  return taken.subarray(0, count);
}

function percentile(percent: number): number {
  return samples[Math.floor(((samples.length - 1) * percent) / 100)] ?? NaN;
}
