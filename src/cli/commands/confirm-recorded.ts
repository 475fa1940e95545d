/**
 * Asks before plg runs the commands in a dump, unless this user recorded them (own-recordings.ts):
 * a dump may come from anyone.
 */
import { UsageError } from "../../base/errors.ts";
import type { Recording } from "../../recording/load/read-recording.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";
import { ask, canAsk } from "../terminal/ask.ts";
import { type Interruption, interruptionBy } from "../terminal/interrupt.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { isOwnRecording } from "../../api/own-recordings.ts";

/**
 * Always shows the commands. Returns an interruption if the answer was Ctrl-C. Throws a {@link
 * UsageError} if the answer is no, or if there is no user to ask.
 */
export async function confirmRecorded(
  recording: Recording,
  recorded: readonly ContainerPlan[],
  runRecorded: boolean,
  terminal: Terminal,
): Promise<Interruption | undefined> {
  if (recorded.length === 0) return undefined;
  const mayRun = runRecorded || isOwnRecording(recording);
  const show = (text: string): void => (mayRun ? terminal.info(text) : terminal.warn(text));
  show(mayRun ? "running the recorded commands:" : "the recorded commands:");
  for (const { name, command } of recorded) show(`  ${name}: ${command}`);
  if (mayRun) return undefined;
  const answer = canAsk()
    ? await ask("plg: somebody else recorded these commands. Run them?")
    : false;
  if (answer === true) return undefined;
  if (answer === undefined) return interruptionBy("SIGINT");
  throw new UsageError(
    `${recording.path} was recorded by another user or on another machine (it says: on ${recording.index.run.host}): give --run-recorded to run its commands, or give commands of your own`,
  );
}
