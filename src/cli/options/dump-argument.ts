/** The dump that a command of the command line reads: which, and what is to be known of it first. */
import { existsSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";

export const defaultFile = "dump.traffic";

/** The dump that `command` was given, as an argument or as an option; else the one that is here. */
export function pathOf(
  command: string,
  dump: string | undefined,
  { file }: { readonly file?: string },
): string {
  if (dump !== undefined && file !== undefined && dump !== file)
    throw new UsageError(`two dumps were named, ${dump} and ${file}: ${command} takes one`);
  const named = dump ?? file;
  if (named === undefined && !existsSync(defaultFile))
    throw new UsageError(
      `there is no ${defaultFile} here: name the dump, as in: plg ${command} PATH`,
    );
  return named ?? defaultFile;
}
