/** Standard output and standard error, which may be closed by who reads them, full, or slow. */
import { ExitCode } from "../../base/errors.ts";

/** The reader has gone, as in `plg show | head -1`: EPIPE of a pipe, EIO of a terminal. */
const goneCodes: ReadonlySet<string | undefined> = new Set(["EPIPE", "EIO"]);

/** That nobody reads any more is no reason to end a recording; that the disk is full is told. */
export function watchStandardStreams(): void {
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (goneCodes.has(error.code)) return;
    process.stderr.write(`plg: cannot write to standard output: ${error.message}\n`);
    process.exit(ExitCode.machine);
  });
}

/** Settles when all that was written has left this process: a pipe takes 64 KiB at a time. */
export async function standardStreamsFlushed(): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map((stream) => flushed(stream)));
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  // Called with an error if the reader has gone: then there is nothing to wait for either.
  return new Promise((resolve) => stream.write("", () => resolve()));
}

/** Writes a result to standard output. Settles when it was taken, or with false if its reader has gone. */
export function write(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(!error)));
}
