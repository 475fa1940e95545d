/** A measurement: a server and a client, as shell commands, and how to read the client's output. */

/** The server's address in both networks: the first of the subnet. */
export const serverAddress = "10.0.0.1";
export const clientAddress = "10.0.0.2";

export type Unit = "Gb/s" | "us" | "/s";

/** One figure of a measurement: a row of the table. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
}

/**
 * `/bin/sh -c` runs both commands. The server must end on SIGTERM, so it should `exec` its program.
 */
export interface Commands {
  readonly server: string;
  readonly client: string;
}

export interface Measurement {
  /** Its name for `--only`. */
  readonly name: string;
  /** The programs and users that it needs; without them it is skipped. */
  readonly needs: readonly Need[];
  /** The port that the server listens on. */
  readonly port: number;
  readonly figures: readonly Figure[];
  /** It writes to disk as fast as possible, so the disk's own rate is measured next to it. */
  readonly fillsDisk?: true;
  /** Runs once before the measurement, over the direct link. */
  readonly prepare?: (setting: Setting) => Commands;
  readonly commands: (setting: Setting) => Commands;
  /** Reads the figures, in their order, from the client's standard output. */
  readonly read: (output: string) => readonly number[];
}

export type Need = { readonly program: string } | { readonly user: string };

export interface Setting {
  readonly seconds: number;
  /** A folder for files that last as long as the benchmark. */
  readonly folder: string;
  /** A needed program, quoted for the shell. */
  readonly program: (name: string) => string;
}

/** Quotes a word for the shell. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The number that the pattern's first group finds in `output`. */
export function numberIn(output: string, pattern: RegExp): number {
  const value = Number(pattern.exec(output)?.[1]);
  if (Number.isNaN(value)) throw new Error(`there is no ${pattern} in its output`);
  return value;
}
