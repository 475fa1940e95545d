/**
 * Watches for servers to become ready, by the user's definition: a command succeeds in the
 * container, or a line of output matches. Listening does not suffice for many servers: a listening
 * database may still be starting up.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerIndex } from "../base/ids.ts";
import type { OutputSink } from "../sandbox/processes/command.ts";
import type { CommandRun } from "../sandbox/processes/run.ts";

/** The condition under which a container counts as ready. */
export type ReadyCheck = { readonly container: ContainerIndex } & (
  | { readonly command: string }
  | { readonly line: RegExp }
);

const checkEveryMs = 50;
const lookEveryMs = 50;

/** Output that is searched on its way. */
export interface WatchedOutput {
  readonly output: OutputSink;
  /** One promise per line check. It resolves to the container once a line matches. */
  readonly matched: readonly Promise<number>[];
}

/** Searches `output` for the lines that `checks` define. */
export function watchLines(output: OutputSink, checks: readonly ReadyCheck[]): WatchedOutput {
  const watches = checks.flatMap((check) => ("line" in check ? [new LineWatch(check)] : []));
  if (watches.length === 0) return { output, matched: [] };
  const decoder = new TextDecoder();
  const watched: OutputSink = {
    lines(container, stream, lines) {
      for (const watch of watches)
        if (watch.container === container.index)
          for (const line of lines) watch.look(decoder.decode(line));
      return output.raw === undefined && output.lines(container, stream, lines);
    },
    whenDrained: (resume) => output.whenDrained(resume),
  };
  return { output: watched, matched: watches.map(({ matched }) => matched) };
}

class LineWatch {
  readonly container: ContainerIndex;
  readonly matched: Promise<number>;
  readonly #line: RegExp;
  #settle: (container: ContainerIndex) => void = () => {};

  constructor({ container, line }: Extract<ReadyCheck, { readonly line: RegExp }>) {
    this.container = container;
    this.#line = line;
    this.matched = new Promise((resolve) => (this.#settle = resolve));
  }

  look(line: string): void {
    if (this.#line.test(line)) this.#settle(this.container);
  }
}

/** Runs the command checks until they succeed, or until `isOver`. */
export async function runChecks(
  run: CommandRun,
  checks: readonly ReadyCheck[],
  onReady: (container: ContainerIndex) => void,
  isOver: () => boolean,
): Promise<void> {
  await Promise.all(
    checks.map(async (check) => {
      if (!("command" in check)) return;
      const { container, command } = check;
      while (!isOver() && !(await run.check(container, command)))
        await sleep(checkEveryMs, undefined, { ref: false });
      if (!isOver()) onReady(container);
    }),
  );
}

/** Reports each container that has no process left, not even a daemon of its command. */
export async function watchContainers(
  run: CommandRun,
  onGone: (container: ContainerIndex) => void,
  isOver: () => boolean,
): Promise<void> {
  await Promise.all(
    run.commands.map(async ({ plan, ended }) => {
      await ended;
      while (!isOver() && run.hasProcesses(plan.index))
        await sleep(lookEveryMs, undefined, { ref: false });
      if (!isOver()) onGone(plan.index);
    }),
  );
}
