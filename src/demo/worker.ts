/** The demo's worker: takes numbers from the store and puts back how many primes are below. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectToStore } from "./ask.ts";

/** The smallest number that is looked at. Started with another one, the worker makes a mistake. */
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
  // Work takes time.
  await sleep(200);
  const count = primesBelow(Number(job));
  console.log(`below ${job} are ${count} primes`);
  await store.ask(`SET ${job} ${count}`);
}
store.close();
