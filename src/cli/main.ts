/**
 * The program `plg`. Signals get their handlers before the rest is loaded, which takes a while, so
 * that Ctrl-C is answered from the start.
 */
import { endWhenInterrupted } from "./terminal/interrupt.ts";
import { standardStreamsFlushed, watchStandardStreams } from "./launch/standard-streams.ts";

endWhenInterrupted();
watchStandardStreams();
const { main } = await import("./command-line.ts");
process.exitCode = await main(process.argv.slice(2));
await standardStreamsFlushed();
// Threads that a failed start left behind do not keep the process alive.
process.exit();
