/** Finds the dump that a command reads. */
import { existsSync, statSync } from "node:fs";
import { extname } from "node:path";
import { UsageError } from "../../base/errors.ts";
import { isDump } from "../../dump/store/reader.ts";

export const defaultFile = "dump.traffic";

/** Takes a dump from the front of `plg replay`'s arguments; commands may follow it. */
export function takeDumpArgument(
  [first, ...others]: readonly string[],
  { file, classic }: { readonly file: string; readonly classic?: boolean },
): { readonly dump: string; readonly rest: readonly string[] } {
  const given = first === undefined ? [] : [first, ...others];
  if (classic === true || first === undefined || /[\s=]/.test(first))
    return { dump: file, rest: given };
  if (existsSync(first) && statSync(first).isFile() && isDump(first)) {
    if (file !== defaultFile && file !== first)
      throw new UsageError(`two dumps were named, ${first} and ${file}: replay takes one`);
    return { dump: first, rest: others };
  }
  if (!existsSync(first) && first.endsWith(extname(defaultFile)))
    throw new UsageError(`there is no dump ${first}`);
  return { dump: file, rest: given };
}

/** Returns the dump given to `command` as an argument or an option, else the default one. */
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
