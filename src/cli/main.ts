/** The program `plg`. Signal handlers come first, so that Ctrl-C works while the rest loads. */
import { endWhenInterrupted } from "./terminal/interrupt.ts";
import { standardStreamsFlushed, watchStandardStreams } from "./launch/standard-streams.ts";

endWhenInterrupted();
watchStandardStreams();
const { main } = await import("./command-line.ts");
process.exitCode = await main(process.argv.slice(2));
await standardStreamsFlushed();
// Threads that a failed start left behind must not keep the process alive.
process.exit();
