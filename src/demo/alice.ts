/** The demo's first client: puts jobs into the queue, one at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { connectToStore } from "./ask.ts";

const store = connectToStore();
for (const job of ["1000", "10000", "100000", "enough"]) {
  await store.ask(`PUSH ${job}`);
  console.log(`I have put '${job}' into the queue`);
  await sleep(100);
}
store.close();
