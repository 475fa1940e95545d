/** A YAML document in which every key and value has a place. Pure. */
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { errorAt, type Path, type Place } from "./place.ts";

export interface PlacedDocument {
  readonly value: unknown;
  /** The place of the value at this path, or of its key; of what is around it if it has none. */
  placeOf(path: Path, isAboutKey?: boolean): Place;
  /** A scalar as it was written: `1.10` stays `1.10`. */
  sourceOf(path: Path): string | undefined;
}

/** Throws a UsageError with line and column for a text that is not YAML. */
export function readDocument(path: string, text: string): PlacedDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem) throw errorAt(path, placeAt(problem.pos[0]), oneLine(problem.message));
  return {
    value: valueOf(document, (message) => errorAt(path, placeAt(0), message)),
    placeOf: (keys, isAboutKey = false) => placeAt(offsetOf(document.contents, keys, isAboutKey)),
    sourceOf(keys) {
      const node = document.getIn(keys, true);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

/** Aliases may be too many or endless; the library refuses those. */
function valueOf(document: { toJS(): unknown }, failure: (message: string) => Error): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw failure(oneLine((error as Error).message));
  }
}

function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, " ").replace(/^./, (letter) => letter.toLowerCase());
}

/** Follows the path as far as there are nodes. */
function offsetOf(root: Node | null, path: Path, isAboutKey: boolean): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [i, key] of path.entries()) {
    const isLast = i === path.length - 1;
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      : undefined;
    const next: unknown = pair ? pair.value : nodeIn(node, key);
    const target = pair && ((isAboutKey && isLast) || next === null) ? pair.key : next;
    const start = (target as Node | undefined)?.range?.[0];
    if (start === undefined) return offset;
    offset = start;
    node = next;
  }
  return offset;
}

function nodeIn(node: unknown, key: string | number): unknown {
  const hasItems = typeof node === "object" && node !== null && "items" in node;
  return hasItems && typeof key === "number" ? (node.items as readonly unknown[])[key] : undefined;
}
