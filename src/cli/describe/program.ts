/** The program's commands and options as data, for completions and the manual page. Pure. */

export interface DescribedOption {
  /** As in `-f`; undefined if it has none. */
  readonly short: string | undefined;
  /** As in `--file`. */
  readonly long: string;
  /** What its value is called, as in `path`; undefined if it takes none. */
  readonly value: string | undefined;
  readonly description: string;
}

export interface DescribedCommand {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Its arguments, as in `[options] [dump]`. */
  readonly usage: string;
  readonly options: readonly DescribedOption[];
  /** The words that its argument may be; empty for files and anything else. */
  readonly words: readonly string[];
  /** What the help prints behind the options. */
  readonly more: string;
}

export interface DescribedProgram {
  readonly version: string;
  readonly description: string;
  readonly commands: readonly DescribedCommand[];
  readonly more: string;
}

/** Whether a value is a file, which shells can complete. */
export function isFile({ value }: DescribedOption): boolean {
  return value === "path" || value === "file" || value === "folder";
}
