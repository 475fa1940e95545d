/** A session while its user looks on: the status line, and Ctrl-C. Recording and replaying share it. */
import { interruptedExitCode, interruptible } from "./interrupt.ts";
import type { Terminal } from "./terminal.ts";

/** The signal that cut a run off, and what plg exits with then. */
export interface Interruption {
  readonly signal: NodeJS.Signals;
  readonly exitCode: number;
}

/**
 * Runs a session. A signal stops it, and a second one makes it kill, which is up to the session.
 * Returns its result, and the signal that cut it off, if one did.
 */
export async function attend<T>(
  terminal: Terminal,
  session: { stop(): void },
  status: () => string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly interrupted: Interruption | undefined }> {
  let interrupted: Interruption | undefined;
  terminal.startStatus(status);
  const result = await interruptible((signal) => {
    interrupted ??= { signal, exitCode: interruptedExitCode(signal) };
    terminal.info(`${signal}: stopping the commands (again: kill them)`);
    session.stop();
  }, run);
  terminal.stopStatus();
  return { result, interrupted };
}
