/**
 * A replay as JUnit XML, which continuous integration systems read: each process is a test case, and its
 * differences are the failure.
 */
import { plural } from "../base/text.ts";
import type { Difference, DifferenceList } from "../replay/findings/differences.ts";
import { renderDifference } from "./differences.ts";

/** What was replayed. */
export interface JunitRun {
  /** Such as the dump's path. */
  readonly name: string;
  /** The names of the live processes. */
  readonly processes: readonly string[];
  readonly durationMs: number;
}

/** The whole document. Its lines end in newlines. */
export function renderJunit(run: JunitRun, list: DifferenceList): string {
  const seconds = (run.durationMs / 1000).toFixed(3);
  const failed = run.processes.filter((process) => countOf(list, process) > 0);
  const counts = `tests="${run.processes.length}" failures="${failed.length}" errors="0"`;
  const suite = `name=${attribute(run.name)} ${counts} skipped="0" time="${seconds}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plg replay" ${counts} time="${seconds}">`,
    `  <testsuite ${suite}>`,
    ...run.processes.flatMap((process) => renderCase(run, process, list)),
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function renderCase(run: JunitRun, process: string, list: DifferenceList): readonly string[] {
  const seconds = (run.durationMs / 1000).toFixed(3);
  const open = `    <testcase classname=${attribute(run.name)} name=${attribute(process)} time="${seconds}"`;
  const count = countOf(list, process);
  const isIts = (difference: Difference): boolean => difference.process === process;
  const notes = list.notes.filter(isIts).flatMap(renderDifference);
  const out = notes.length === 0 ? [] : [`      <system-out>${content(notes)}</system-out>`];
  if (count === 0 && out.length === 0) return [`${open}/>`];
  if (count === 0) return [`${open}>`, ...out, "    </testcase>"];
  const differences = list.differences.filter(isIts);
  const lines = differences.flatMap((difference) => [...renderDifference(difference), ""]);
  const left = count - differences.length;
  if (left > 0) lines.push(`and ${left} more`);
  const message = attribute(`${plural(count, "difference")} from the recording`);
  return [
    `${open}>`,
    `      <failure message=${message} type="difference">${content(lines)}</failure>`,
    ...out,
    "    </testcase>",
  ];
}

/** A process may be named "constructor", which every object has. */
function countOf({ byProcess }: DifferenceList, process: string): number {
  return Object.hasOwn(byProcess, process) ? (byProcess[process] as number) : 0;
}

function content(lines: readonly string[]): string {
  return escapeXml(lines.join("\n"));
}

/** In quotes. Line ends and tabs would be read as spaces if they stood as they are. */
function attribute(text: string): string {
  const escaped = escapeXml(text).replaceAll('"', "&quot;");
  return `"${escaped.replaceAll(/[\t\n\r]/g, (one) => `&#${one.charCodeAt(0)};`)}"`;
}

/**
 * What is not a character of XML 1.0 (section 2.2: most control characters, halves of surrogate pairs)
 * cannot even be escaped: it becomes U+FFFD.
 */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
