/**
 * Standard output and standard error, whose reader may be gone or slow, and whose disk may be full.
 */
import { ExitCode } from "../errors/exit-code.ts";

/** The reader has gone, as in `plg show | head -1`: EPIPE on a pipe, EIO on a terminal. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "EIO"]);

/**
 * Ignores a missing reader, which is no reason to end a recording, but reports a full disk and
 * exits.
 */
export function watchStandardStreams(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (goneCodes.has(error.code)) return;
    process.stderr.write(`plg: cannot write to standard output: ${error.message}\n`);
    process.exit(ExitCode.machine);
  });
}

/** Settles when all written bytes have left this process: a pipe takes 64 KiB at a time. */
export async function standardStreamsFlushed(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => flushed(stream)));
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  // The callback gets an error if the reader has gone; there is nothing to wait for then, either.
  return new Promise((resolve) => stream.write("", () => resolve()));
}

/**
 * Writes a result to standard output. Resolves to true once it is taken, to false if the reader has
 * gone.
 */
export function write(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
