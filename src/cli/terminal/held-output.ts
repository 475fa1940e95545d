/** Holds a run's output back and shows it only if the run turns out to be of interest. */
import { formatBytes } from "../../base/text.ts";
import type { OutputSink } from "../../sandbox/processes/command.ts";
import type { RunHooks } from "../../sandbox/processes/run.ts";
import { hooksFor } from "./command-ends.ts";
import type { Terminal } from "./terminal.ts";

/** The most bytes held. Of a longer output, the last part is kept. */
const mostBytes = 16 << 20;

interface Held {
  readonly show: () => void;
  readonly lengthBytes: number;
}

export class HeldOutput {
  readonly sink: OutputSink;
  readonly hooks: RunHooks;
  readonly #terminal: Terminal;
  #held: Held[] = [];
  #heldBytes = 0;
  #droppedBytes = 0;

  constructor(terminal: Terminal) {
    const { raw } = terminal;
    const hooks = hooksFor(terminal);
    this.#terminal = terminal;
    this.sink = {
      lines: (container, stream, lines) => {
        const lengthBytes = lines.reduce((sum, line) => sum + line.length, 0);
        return this.#hold(() => terminal.lines(container, stream, lines), lengthBytes);
      },
      raw: raw && ((stream, chunk) => this.#hold(() => raw(stream, chunk), chunk.length)),
      whenDrained: (resume) => resume(),
    };
    this.hooks = {
      onWarning: (text) => void this.#hold(() => hooks.onWarning(text), text.length),
      onCommandEnd: (command, end) => void this.#hold(() => hooks.onCommandEnd(command, end), 0),
    };
  }

  /** Shows the held output in its original order. */
  show(): void {
    if (this.#droppedBytes > 0)
      this.#terminal.warn(`${formatBytes(this.#droppedBytes)} of earlier output are left out`);
    for (const { show } of this.#held) show();
    this.#held = [];
  }

  /** Returns false, because holding is never congested. */
  #hold(show: () => void, lengthBytes: number): false {
    this.#held.push({ show, lengthBytes });
    this.#heldBytes += lengthBytes;
    let spent = 0;
    while (this.#heldBytes > mostBytes && spent < this.#held.length - 1) {
      const dropped = this.#held[spent++]?.lengthBytes ?? 0;
      this.#heldBytes -= dropped;
      this.#droppedBytes += dropped;
    }
    if (spent > 0) this.#held.splice(0, spent);
    return false;
  }
}
