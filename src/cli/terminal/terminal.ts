/**
 * Everything that the user sees: the commands' lines with their names, plg's own messages and, on a
 * terminal, a status line below them. All output passes through here, so lines never overlap the
 * status.
 */
import { setImmediate } from "node:timers/promises";
import { styleText } from "node:util";
import { printableLines } from "../../base/printable.ts";
import type { OutputSink } from "../../sandbox/processes/command.ts";
import { plain } from "../../report/paint.ts";
import type { ContainerPlan } from "../../sandbox/network/topology.ts";
import { hasColors, paintFor } from "./paint.ts";

const colors = ["cyan", "yellow", "magenta", "green", "blue", "red"] as const;
const clearLine = "\r\u001B[K";
const statusEveryMs = 250;

export interface TerminalOptions {
  /** Hides the commands' output and the status. Errors and warnings are always shown. */
  readonly quiet: boolean;
  /** Shows the commands' output unchanged. */
  readonly raw: boolean;
  /** Reserves standard output for the result; the commands' output goes to standard error. */
  readonly resultOnStdout: boolean;
  /** The length of the longest container name, for alignment. */
  readonly nameWidth: number;
}

export class Terminal implements OutputSink {
  readonly raw: OutputSink["raw"];
  readonly #options: TerminalOptions;
  #status: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #drained: Promise<void> | undefined;

  constructor(options: TerminalOptions) {
    this.#options = options;
    if (options.quiet) this.raw = () => false;
    else if (options.raw) this.raw = (stream, chunk) => !this.#streamFor(stream).write(chunk);
  }

  lines(
    container: ContainerPlan,
    stream: "stdout" | "stderr",
    lines: readonly Uint8Array[],
  ): boolean {
    const target = this.#streamFor(stream);
    const color = colors[container.index % colors.length] ?? "cyan";
    const name = container.name.padEnd(this.#options.nameWidth);
    const label = hasColors(target) ? styleText(color, `${name} |`) : `${name} |`;
    const start = Buffer.from(`${label} `);
    this.#clearStatus();
    // One write for all the lines, because a command may produce a flood of tiny ones.
    const congested = !target.write(joinLines(start, lines));
    this.#drawStatus();
    return congested;
  }

  /** All waiting commands share one promise. */
  whenDrained(resume: () => void): void {
    this.#drained ??= this.#untilDrained().finally(() => (this.#drained = undefined));
    void this.#drained.then(resume);
  }

  /** Shows a message of plg's own, unless quiet. */
  info(text: string): void {
    if (!this.#options.quiet) this.#message(text);
  }

  /** Shows a message that ends in a verdict, unless quiet. */
  result(text: string, verdict: string, isGood: boolean): void {
    if (this.#options.quiet) return;
    const paint = paintFor(process.stderr) ?? plain;
    this.#message(`${text}: `, isGood ? paint.good(verdict) : paint.bad(verdict));
  }

  /** Shows a failure, even if quiet. */
  failure(text: string): void {
    this.#message("", (paintFor(process.stderr) ?? plain).bad(printableLines(text, "  ")));
  }

  /** Shows a warning, even if quiet. */
  warn(text: string): void {
    this.#message(text);
  }

  /**
   * Keeps showing the text of `describe` below everything else, if this is a terminal. Returns
   * whether it is.
   */
  startStatus(describe: () => string): boolean {
    if (this.#options.quiet || !process.stderr.isTTY) return false;
    const update = (): void => {
      this.#clearStatus();
      this.#status = describe();
      this.#drawStatus();
    };
    this.#timer = setInterval(update, statusEveryMs).unref();
    return true;
  }

  stopStatus(): void {
    clearInterval(this.#timer);
    this.#clearStatus();
    this.#status = undefined;
  }

  async #untilDrained(): Promise<void> {
    const waiting = [process.stdout, process.stderr].filter((stream) => stream.writableNeedDrain);
    if (waiting.length === 0) await setImmediate();
    else await Promise.all(waiting.map((stream) => onceDrained(stream)));
  }

  #streamFor(stream: "stdout" | "stderr"): NodeJS.WriteStream {
    return stream === "stdout" && !this.#options.resultOnStdout ? process.stdout : process.stderr;
  }

  /** `painted` is not escaped. */
  #message(text: string, painted = ""): void {
    this.#clearStatus();
    process.stderr.write(`plg: ${printableLines(text, "  ")}${painted}\n`);
    this.#drawStatus();
  }

  #clearStatus(): void {
    if (this.#status !== undefined) process.stderr.write(clearLine);
  }

  #drawStatus(): void {
    if (this.#status === undefined) return;
    process.stderr.write(this.#status.slice(0, (process.stderr.columns || 80) - 1));
  }
}

/** A terminal for commands of plg that only print a result on standard output. */
export function forResults(): Terminal {
  return new Terminal({ quiet: false, raw: false, resultOnStdout: true, nameWidth: 0 });
}

const newline = 0x0a;

/** Joins the lines in one buffer, each between `start` and a newline. */
function joinLines(start: Uint8Array, lines: readonly Uint8Array[]): Uint8Array {
  const lengthBytes = lines.reduce((sum, line) => sum + start.length + line.length + 1, 0);
  const joined = new Uint8Array(lengthBytes);
  let at = 0;
  for (const line of lines) {
    joined.set(start, at);
    joined.set(line, at + start.length);
    at += start.length + line.length + 1;
    joined[at - 1] = newline;
  }
  return joined;
}

function onceDrained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of ["drain", "close"]) stream.off(event, settle);
      resolve();
    };
    // A stream without a reader is closed, and accepts any write.
    for (const event of ["drain", "close"]) stream.on(event, settle);
  });
}
