/** Parses the masks of `--ignore`: `[name][:port]/regex/flags`, one per line in a file. */
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { Mask } from "../../replay/compare/masks.ts";

const maskPattern = /^([\w.-]*)(?::(\d{1,5}))?\/(.*)\/([a-z]*)$/s;

/**
 * Parses one mask. `names` are the recording's containers. Throws a {@link UsageError} that begins
 * with `placeOf` the offset of the error in the text.
 */
export function parseMask(
  text: string,
  names: readonly string[],
  placeOf: (at: number) => string = () => "--ignore",
): Mask {
  const match = maskPattern.exec(text);
  if (!match)
    throw new UsageError(
      `${placeOf(errorAt(text))} '${text}' is not a mask: write [name][:port]/regex/, as in server:80/^Date: .*$/m`,
    );
  const [, container, port, source = "", flags] = match;
  const index = container ? indexOfName(names, container) : -1;
  if (container && index < 0)
    throw new UsageError(
      `${placeOf(0)} '${text}': the recording has no container '${container}' (it has ${names.join(", ")})`,
    );
  return {
    ...(index < 0 ? {} : { container: names[index] }),
    ...(port === undefined ? {} : { port: Number(port) }),
    pattern: compile(source, flags ?? "", placeOf(text.indexOf("/") + 1)),
  };
}

/** The offset at which a text stops being a mask. */
function errorAt(text: string): number {
  const target = /^[\w.-]*(?::\d{1,5})?/.exec(text)?.[0] ?? "";
  return text.charAt(target.length) === "/" ? text.length : target.length;
}

/** Parses a file of masks, one per line. Empty lines and lines that begin with # are skipped. */
export function parseMaskFile(text: string, names: readonly string[], path: string): Mask[] {
  return text
    .split(/\r?\n/)
    .map((raw, i) => ({ line: raw.trim(), number: i + 1, indent: raw.search(/\S/) }))
    .filter(({ line }) => line !== "" && !line.startsWith("#"))
    .map(({ line, number, indent }) =>
      parseMask(line, names, (at) => `${path}:${number}:${indent + at + 1}:`),
    );
}

function compile(source: string, flags: string, place: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new UsageError(`${place.replace(/:$/, "")}: ${(error as Error).message}`);
  }
}
