/** A session while its user looks on: the status line, and Ctrl-C. Recording and replaying share it. */
import { interruptedExitCode, interruptible } from "./interrupt.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Runs a session. A signal stops it, and another one makes it kill, which is the session's to do. Returns its
 * result, and what plg is to exit with if a signal cut it off.
 */
export async function attend<T>(
  terminal: Terminal,
  session: { stop(): void },
  status: () => string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly interruptedCode: number | undefined }> {
  let interruptedCode: number | undefined;
  terminal.startStatus(status);
  const result = await interruptible((signal) => {
    interruptedCode ??= interruptedExitCode(signal);
    terminal.info(`${signal}: stopping the commands (again: kill them)`);
    session.stop();
  }, run);
  terminal.stopStatus();
  return { result, interruptedCode };
}
