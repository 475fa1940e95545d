/** Reports commands that fail while a run goes on. */
import { formatDuration } from "../../base/text.ts";
import {
  type Command,
  type CommandEnd,
  couldStart,
  ShellExit,
} from "../../sandbox/processes/command.ts";
import type { RunHooks } from "../../sandbox/processes/run.ts";
import type { Terminal } from "./terminal.ts";

/** Whether a command failed by itself: one that plg stopped did not fail. */
export function hasFailed(end: CommandEnd): boolean {
  return !end.stopped && end.exitCode !== 0;
}

export function hooksFor(terminal: Terminal): RunHooks {
  return {
    onWarning: (text) => terminal.warn(text),
    onCommandEnd: (command, end) => reportEnd(terminal, command, end),
  };
}

/** Reports a failed command under its name. */
function reportEnd(terminal: Terminal, { plan }: Command, end: CommandEnd): void {
  if (!hasFailed(end)) return;
  const command = couldStart(end) || end.failure !== undefined ? "" : `: ${plan.command}`;
  terminal.failure(`${plan.name} ${describeFailure(end)}${command}`);
}

/** Describes a failure as the rest of a sentence that begins with the command's name. */
export function describeFailure({ exitCode, signal, failure, lastedMs }: CommandEnd): string {
  if (failure !== undefined) return `could not be started: ${failure}`;
  if (exitCode === ShellExit.notFound)
    return `could not be started: command not found (exit code ${exitCode})`;
  if (exitCode === ShellExit.notExecutable)
    return `could not be started: not executable (exit code ${exitCode})`;
  const after = `after ${formatDuration(lastedMs)}`;
  if (signal !== undefined) return `was ended by ${signal} ${after}`;
  return `failed with exit code ${exitCode} ${after}`;
}
