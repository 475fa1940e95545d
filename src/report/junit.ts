/**
 * Renders a replay as JUnit XML, which continuous integration systems read. Each live process is a
 * test case. Its differences are a failure; a command that failed by itself or was cut off is an
 * error.
 */
import type { Difference, DifferenceList } from "../replay/findings/differences.ts";
import { renderDifference } from "./differences.ts";
import type { Outcome, ProcessOutcome } from "./outcome.ts";

/** The replay, or the comparison of two recordings. */
export interface JunitRun extends JunitSubject {
  readonly command: "plg replay" | "plg diff";
}

/** What a test suite is about. */
interface JunitSubject {
  /** For example the dump's path. */
  readonly name: string;
  readonly durationMs: number;
  /** Stands before a suggested mask, such as an option. */
  readonly toMask?: string;
}

/** One replay, with its findings. */
export interface JunitSuite {
  readonly run: JunitSubject;
  readonly outcome: Pick<Outcome, "processes">;
  readonly list: DifferenceList;
}

/** Renders the document of one replay. Its lines end in newlines. */
export function renderJunit(run: JunitRun, outcome: Outcome, list: DifferenceList): string {
  return renderJunitSuites(run.command, [{ run, outcome, list }]);
}

/** Renders the document of several replays, a test suite each. Its lines end in newlines. */
export function renderJunitSuites(name: string, suites: readonly JunitSuite[]): string {
  const all = suites.flatMap(({ outcome }) => outcome.processes);
  const durationMs = suites.reduce((sum, { run }) => sum + run.durationMs, 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name=${attribute(name)} ${countsOf(all)} time="${secondsOf(durationMs)}">`,
    ...suites.flatMap(renderSuite),
    "</testsuites>",
    "",
  ].join("\n");
}

function renderSuite({ run, outcome: { processes }, list }: JunitSuite): string[] {
  const name = `name=${attribute(run.name)}`;
  return [
    `  <testsuite ${name} ${countsOf(processes)} skipped="0" time="${secondsOf(run.durationMs)}">`,
    ...processes.flatMap((process) => renderCase(run, process, list)),
    "  </testsuite>",
  ];
}

function countsOf(processes: readonly ProcessOutcome[]): string {
  const count = (result: ProcessOutcome["result"]): number =>
    processes.filter((process) => process.result === result).length;
  return `tests="${processes.length}" failures="${count("failure")}" errors="${count("error")}"`;
}

function secondsOf(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}

function renderCase(run: JunitSubject, process: ProcessOutcome, list: DifferenceList): string[] {
  const seconds = secondsOf(run.durationMs);
  const names = `classname=${attribute(run.name)} name=${attribute(process.name)}`;
  const open = `    <testcase ${names} time="${seconds}"`;
  const isIts = (difference: Difference): boolean => difference.process === process.name;
  const notes = list.notes.filter(isIts).flatMap((note) => renderDifference(note));
  const out = notes.length === 0 ? [] : [`      <system-out>${content(notes)}</system-out>`];
  const lines = [...renderResult(run, process, list), ...out];
  return lines.length === 0 ? [`${open}/>`] : [`${open}>`, ...lines, "    </testcase>"];
}

function renderResult(
  { toMask }: JunitSubject,
  process: ProcessOutcome,
  list: DifferenceList,
): string[] {
  if (process.result === "success") return [];
  const message = attribute(process.message);
  if (process.result === "error")
    return [`      <error message=${message} type=${attribute(process.type)}/>`];
  const differences = list.differences.filter((one) => one.process === process.name);
  const lines = differences.flatMap((one) => [
    ...renderDifference(one, { hasOthers: differences.length > 1, toMask }),
    "",
  ]);
  const left = countOf(list, process.name) - differences.length;
  if (left > 0) lines.push(`and ${left} more`);
  return [`      <failure message=${message} type="difference">${content(lines)}</failure>`];
}

/**
 * The number of a process's differences. `hasOwn`, because a process may be named "constructor",
 * which every object has.
 */
export function countOf({ byProcess }: DifferenceList, process: string): number {
  return Object.hasOwn(byProcess, process) ? (byProcess[process] as number) : 0;
}

function content(lines: readonly string[]): string {
  return escapeXml(lines.join("\n"));
}

/**
 * Quotes an attribute. Line ends and tabs are escaped, because parsers read plain ones as spaces.
 */
function attribute(text: string): string {
  const escaped = escapeXml(text).replaceAll('"', "&quot;");
  return `"${escaped.replaceAll(/[\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`)}"`;
}

/**
 * Escapes text. Code points outside XML 1.0 (section 2.2: most control characters, halves of
 * surrogate pairs) cannot be escaped, so they become U+FFFD.
 */
export function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
