/** `--ignore` and `--ignore-file`: the masks of a comparison. */
import { existsSync, readFileSync } from "node:fs";
import { UsageError } from "../../base/errors.ts";
import type { Mask } from "../../replay/compare/masks.ts";
import { parseMask, parseMaskFile } from "../../replay/compare/parse-mask.ts";

export interface MaskFlags {
  readonly ignore?: readonly string[];
  readonly ignoreFile?: string;
  /** Given if masks will be learned into the file. */
  readonly learn?: string | undefined;
}

/** Reads the masks. Throws a {@link UsageError} for an invalid mask or an unknown container. */
export function readMasks(
  { ignore = [], ignoreFile, learn }: MaskFlags,
  containers: readonly { readonly name: string }[],
): Mask[] {
  const names = containers.map(({ name }) => name);
  const masks = ignore.map((text) => parseMask(text, names));
  if (ignoreFile === undefined) return masks;
  try {
    // A file that masks will be learned into need not exist yet.
    if (learn !== undefined && !existsSync(ignoreFile)) return masks;
    return [...masks, ...parseMaskFile(readFileSync(ignoreFile, "utf8"), names, ignoreFile)];
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read --ignore-file ${ignoreFile}: ${(error as Error).message}`);
  }
}
