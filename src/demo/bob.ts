/** The demo's second client: waits for the results, then ends the store. */
import { connectToStore } from "./ask.ts";

const store = connectToStore();
for (const job of ["1000", "10000", "100000"])
  console.log(`${job}: ${await store.ask(`GET ${job}`)}`);
await store.ask("STOP");
store.close();
