/** Attends a session, recording or replay: shows its status line and handles Ctrl-C. */
import { assert } from "../../base/assert.ts";
import { type Interruption, interruptible, interruptionBy } from "./interrupt.ts";
import type { Terminal } from "./terminal.ts";

/** A recording or a replay. */
interface Session {
  /** Stops the commands; a second call kills them. */
  stop(): void;
  /** Undoes the preparation, in place of running. */
  abandon(): Promise<void>;
}

/** The outcome of a session. Without a result it was interrupted before it ran. */
export type Attended<Result> =
  | { readonly result: Result; readonly interrupted: Interruption | undefined }
  | { readonly result: undefined; readonly interrupted: Interruption };

/** Prepares and runs a session. The first signal stops its commands, the second kills them. */
export async function attend<Prepared extends Session, Result extends object>(
  terminal: Terminal,
  prepare: () => Promise<Prepared>,
  statusOf: (session: Prepared) => () => string,
  run: (session: Prepared) => Promise<Result>,
): Promise<Attended<Result>> {
  let interrupted: Interruption | undefined;
  let running: Prepared | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    interrupted ??= interruptionBy(signal);
    const what = running ? "stopping the commands (again: kill them)" : "nothing was run";
    terminal.info(`${signal}: ${what}`);
    running?.stop();
  };
  const result = await interruptible(onSignal, async () => {
    const session = await prepare();
    if (interrupted) {
      await session.abandon();
      return undefined;
    }
    running = session;
    terminal.startStatus(statusOf(session));
    return await run(session);
  });
  terminal.stopStatus();
  if (result !== undefined) return { result, interrupted };
  assert(interrupted, "a session that was not interrupted has a result");
  return { result, interrupted };
}
