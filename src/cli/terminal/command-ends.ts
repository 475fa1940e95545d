/** What is told to the user while a run goes on, above all of commands that fail. */
import { formatDuration } from "../../base/text.ts";
import { type Command, type CommandEnd, ShellExit } from "../../sandbox/processes/command.ts";
import type { RunHooks } from "../../sandbox/processes/run.ts";
import type { Terminal } from "./terminal.ts";

/** Whether a command failed by itself: what plg stopped did not. */
export function hasFailed(end: CommandEnd): boolean {
  return !end.stopped && end.exitCode !== 0;
}

export function hooksFor(terminal: Terminal): RunHooks {
  return {
    onWarning: (text) => terminal.warn(text),
    onCommandEnd: (command, end) => reportEnd(terminal, command, end),
  };
}

/** Reports a command that failed by its name. */
function reportEnd(terminal: Terminal, command: Command, end: CommandEnd): void {
  const { name, command: text } = command.plan;
  if (!hasFailed(end)) return;
  const after = `after ${formatDuration(end.lastedMs)}`;
  if (end.failure !== undefined) terminal.warn(`${name} could not be started: ${end.failure}`);
  else if (end.exitCode === ShellExit.notFound)
    terminal.warn(`${name} could not be started: command not found (exit code 127): ${text}`);
  else if (end.exitCode === ShellExit.notExecutable)
    terminal.warn(`${name} could not be started: not executable (exit code 126): ${text}`);
  else if (end.signal) terminal.warn(`${name} was ended by ${end.signal} ${after}`);
  else terminal.warn(`${name} failed with exit code ${end.exitCode} ${after}`);
}
