/** Parses masks: `[name][:port]/regex/flags`, one per line in a file. */
import { nameAmong } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { Mask } from "./masks.ts";

/** Where in a file the character at an offset of the text is. */
type PlaceOf = (at: number) => string;

const maskPattern = /^([\w.-]*)(?::(\d{1,5}))?\/(.*)\/([a-z]*)$/s;

/**
 * Parses one mask. `names` are the recording's containers. Throws a {@link UsageError} that begins
 * with `placeOf` the offset of the error in the text.
 */
export function parseMask(text: string, names: readonly string[], placeOf?: PlaceOf): Mask {
  const match = maskPattern.exec(text);
  if (!match)
    throw wrongMask(
      `'${text}' is not a mask: write [name][:port]/regex/, as in server:80/^Date: .*$/m`,
      placeOf?.(errorAt(text)),
    );
  const [, container, port, source = "", flags] = match;
  const named = container ? nameAmong(names, container) : undefined;
  if (container && named === undefined)
    throw wrongMask(
      `'${text}': the recording has no container '${container}' (it has ${names.join(", ")})`,
      placeOf?.(0),
    );
  return {
    ...(named === undefined ? {} : { container: named }),
    ...(port === undefined ? {} : { port: Number(port) }),
    pattern: compile(text, source, flags ?? "", placeOf?.(text.indexOf("/") + 1)),
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

/** The error at `place` of a file; without one, it concerns the argument. */
function wrongMask(message: string, place: string | undefined): UsageError {
  if (place === undefined) return new UsageError(message, { argument: "ignore" });
  return new UsageError(`${place} ${message}`);
}

function compile(text: string, source: string, flags: string, place: string | undefined): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    const { message } = error as Error;
    throw wrongMask(place === undefined ? `'${text}': ${message}` : message, place);
  }
}
