/** What happens during a run, as an async iterable. */
import type { OutputSink } from "../sandbox/processes/command.ts";
import type { OutputChoice } from "./containers.ts";

/** Something that happened during a run. */
export type RunEvent = OutputEvent | ExitEvent | WarningEvent;

/** A command printed a line. */
export interface OutputEvent {
  readonly type: "output";
  readonly container: string;
  readonly stream: "stdout" | "stderr";
  /** Without its newline. Bytes that are not UTF-8 become U+FFFD. */
  readonly line: string;
}

/** A command ended. */
export interface ExitEvent {
  readonly type: "exit";
  readonly container: string;
  readonly exit: ContainerExit;
}

/** Something may not be as intended; the run goes on. */
export interface WarningEvent {
  readonly type: "warning";
  readonly text: string;
}

/** How a container's command ended: with an exit code, or by a signal. */
export interface ContainerExit {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** The time since its start, in milliseconds. */
  readonly lastedMs: number;
  /** The run stopped it while it was running, so the way it ended is no failure. */
  readonly stopped: boolean;
  /** Why the program could not be started, if so. */
  readonly failure?: string | undefined;
}

/** The most events that wait for someone to iterate. Beyond that, the oldest are dropped. */
const mostHeld = 10_000;

/**
 * Events in order. They wait for the first loop over them, up to a limit, and each goes to one loop
 * only. The iteration ends with the run.
 */
export class RunEvents implements AsyncIterable<RunEvent> {
  readonly #held: RunEvent[] = [];
  readonly #waiting: (() => void)[] = [];
  #isOver = false;

  push(event: RunEvent): void {
    this.#held.push(event);
    if (this.#held.length > 2 * mostHeld) this.#held.splice(0, mostHeld);
    this.#wake();
  }

  /** Ends the iteration after the events that are left. */
  close(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<RunEvent, void, undefined> {
    for (;;) {
      const event = this.#held.shift();
      if (event !== undefined) yield event;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

/** Passes each container's output to where it belongs. */
export function sinkFor(
  events: RunEvents,
  choiceOf: (container: string) => OutputChoice,
): OutputSink {
  const decoder = new TextDecoder();
  return {
    lines({ name }, stream, lines) {
      const choice = choiceOf(name);
      if (choice === "ignore") return false;
      const texts = lines.map((line) => decoder.decode(line));
      if (choice === "events") {
        for (const line of texts) events.push({ type: "output", container: name, stream, line });
        return false;
      }
      return !process.stderr.write(texts.map((line) => `${name} | ${line}\n`).join(""));
    },
    whenDrained: (resume) => void process.stderr.once("drain", resume),
  };
}
