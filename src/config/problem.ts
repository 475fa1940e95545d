/** Turns the schema library's findings into one sentence with a path. Pure. */
import type { BaseIssue } from "valibot";
import type { Path } from "./place.ts";

export interface Problem {
  readonly path: Path;
  readonly text: string;
  /** The problem is the key at the end of the path, not its value. */
  readonly isAboutKey: boolean;
}

type Issue = BaseIssue<unknown>;

/** The most useful of these findings, and `keys` of the object in which it is. */
export function problemOf(
  issues: readonly [Issue, ...Issue[]],
  keysAt: (path: Path) => readonly string[],
): Problem {
  const [first = deepest(issues[0], [])] = issues.map((one) => deepest(one, [])).toSorted(byUse);
  return describe(first, keysAt);
}

interface Found {
  readonly issue: Issue;
  readonly path: Path;
}

/** In a union, the alternative that the value came closest to: whose finding lies deepest. */
function deepest(issue: Issue, above: Path): Found {
  const path = [...above, ...(issue.path ?? []).map(({ key }) => key as string | number)];
  const inner = (issue.issues ?? []).map((one) => deepest(one, path)).toSorted(byUse);
  const [first] = inner;
  return first && first.path.length > path.length ? first : { issue, path };
}

/** Deep ones first, and unknown keys before missing ones: a misspelled key is both. */
function byUse(a: Found, b: Found): number {
  return b.path.length - a.path.length || Number(isUnknownKey(b)) - Number(isUnknownKey(a));
}

function isUnknownKey({ issue }: Found): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function isMissingKey({ issue }: Found): boolean {
  return issue.type === "strict_object" && issue.received === "undefined";
}

function describe(found: Found, keysAt: (path: Path) => readonly string[]): Problem {
  const { issue, path } = found;
  const key = String(path.at(-1) ?? "");
  if (isUnknownKey(found)) {
    const known = keysAt(path.slice(0, -1));
    const meant = closest(key, known);
    const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean '${meant}'?`;
    return { path, text: `unknown key '${key}': ${hint}`, isAboutKey: true };
  }
  if (isMissingKey(found))
    return { path: path.slice(0, -1), text: `the key '${key}' is missing`, isAboutKey: true };
  const text = `${nameOf(path)} must be ${expectation(issue)}, not ${words[issue.received] ?? issue.received}`;
  return { path, text, isAboutKey: false };
}

/** The last key that is a word, with a number behind it for an item of a list. */
function nameOf(path: Path): string {
  const at = path.findLastIndex((key) => typeof key === "string");
  const item = path.at(-1);
  if (at < 0) return "the file";
  return typeof item === "number" ? `item ${item + 1} of '${path[at]}'` : `'${path[at]}'`;
}

/** The library's own words for types, in ours. */
const words: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  Array: "a list",
  Object: "keys with values",
  false: "false",
  "!0": "something",
};

function expectation(issue: Issue): string {
  if (issue.type === "regex") return "a duration like 500ms, 2s or 1.5m";
  if (issue.type === "non_empty") return "a text that is not empty";
  if (issue.type === "min_length" || issue.type === "min_entries") return "at least one";
  if (issue.type === "integer" || issue.type === "min_value") return "a whole number from 0";
  const parts = (issue.expected ?? "").replace(/^\((.*)\)$/, "$1").split(" | ");
  return parts.map((part) => words[part] ?? part.replaceAll('"', "'")).join(" or ");
}

/** The known key that differs least, if by little. */
function closest(key: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: distanceOf(key, candidate) }))
    .toSorted((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, key.length / 3) ? best.candidate : undefined;
}

/** Levenshtein's distance: the number of letters to insert, delete or replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries())
      next.push(
        Math.min(
          (next[j] ?? 0) + 1,
          (row[j + 1] ?? 0) + 1,
          (row[j] ?? 0) + (letter === other ? 0 : 1),
        ),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
