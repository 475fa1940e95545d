/** What a measurement is: a server and a client, as shell commands, and how to read what the client prints. */

/** Where the server is, in both kinds of network: the first address of the subnet. */
export const serverAddress = "10.0.0.1";
export const clientAddress = "10.0.0.2";

export type Unit = "Gb/s" | "us" | "/s";

/** One number that a measurement yields, a row of the table. */
export interface Figure {
  readonly name: string;
  readonly unit: Unit;
}

/** Both are run by `/bin/sh -c`. The server's is to end on SIGTERM, so it should `exec` its program. */
export interface Commands {
  readonly server: string;
  readonly client: string;
}

export interface Measurement {
  /** How `--only` names it. */
  readonly name: string;
  /** Programs and users without which it is skipped. */
  readonly needs: readonly Need[];
  /** Where the server listens. */
  readonly port: number;
  readonly figures: readonly Figure[];
  /** It writes to disk as fast as it can, so what the disk takes is measured next to it. */
  readonly fillsDisk?: true;
  /** To be run once before the measurement, over the direct link. */
  readonly prepare?: (setting: Setting) => Commands;
  readonly commands: (setting: Setting) => Commands;
  /** Reads the figures, in their order, from the client's standard output. */
  readonly read: (output: string) => readonly number[];
}

export type Need = { readonly program: string } | { readonly user: string };

export interface Setting {
  readonly seconds: number;
  /** For files that last as long as the benchmark. */
  readonly folder: string;
  /** A program that is needed, ready to stand in a shell command. */
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
