/** Reads the masks of `--ignore`: `[name][:port]/regex/flags`, a line each in a file. */
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { Mask } from "../../replay/compare/masks.ts";

const maskPattern = /^([\w.-]*)(?::(\d{1,5}))?\/(.*)\/([a-z]*)$/s;

/** `names` are the recording's containers. Throws a UsageError that tells where, if `place` is given. */
export function parseMask(text: string, names: readonly string[], place = "--ignore"): Mask {
  const match = maskPattern.exec(text);
  if (!match)
    throw new UsageError(
      `${place} '${text}' is not a mask: write [name][:port]/regex/, as in server:80/^Date: .*$/m`,
    );
  const [, container, port, source = "", flags] = match;
  const index = container ? indexOfName(names, container) : -1;
  if (container && index < 0)
    throw new UsageError(
      `${place} '${text}': the recording has no container '${container}' (it has ${names.join(", ")})`,
    );
  return {
    ...(index < 0 ? {} : { container: names[index] }),
    ...(port === undefined ? {} : { port: Number(port) }),
    pattern: compile(source, flags ?? "", place),
  };
}

/** One mask a line; empty lines and lines that begin with # are passed over. */
export function parseMaskFile(text: string, names: readonly string[], path: string): Mask[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ line: line.trim(), place: `${path}:${i + 1}:` }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"))
    .map(({ line, place }) => parseMask(line, names, place));
}

function compile(source: string, flags: string, place: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`${place}: ${(error as Error).message}`);
  }
}
