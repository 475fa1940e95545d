/** The demo's worker: takes numbers from the store, and stores how many primes are below each. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectToStore } from "./ask.ts";

/** The first candidate for a prime. With another start than 2, the worker makes a mistake. */
const first = Number(process.argv[2] ?? 2);

function primesBelow(limit: number): number {
  const isComposite = new Uint8Array(limit);
  let count = 0;
  for (let candidate = first; candidate < limit; candidate++) {
    if (isComposite[candidate]) continue;
    count++;
    for (let multiple = candidate * candidate; multiple < limit; multiple += candidate)
      isComposite[multiple] = 1;
  }
  return count;
}

const store = connectToStore();
for (;;) {
  const job = await store.ask("POP");
  if (job === "enough") break;
  // Simulates longer work.
  await sleep(200);
  const count = primesBelow(Number(job));
  console.log(`below ${job} are ${count} primes`);
  await store.ask(`SET ${job} ${count}`);
}
store.close();
