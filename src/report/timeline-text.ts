/** Renders lines of a timeline, for people and for programs. */
import { noConnection } from "../base/ids.ts";
import { formatBytes, formatLatency } from "../base/text.ts";
import type { RunInfo } from "../dump/format/schema.ts";
import { lineOf } from "./bytes.ts";
import { timeLabel } from "./events.ts";
import type { TimelineLine } from "./timeline.ts";

/** The widths of columns. Names are never shortened. */
export interface TimelineLayout {
  readonly nameWidth: number;
  /** The total width, for example the terminal's; undefined for no limit. */
  readonly width: number | undefined;
}

const timeWidth = "0000.000000 s".length;
const numberWidth = "#1000".length;

export function layoutFor({ containers }: RunInfo, width: number | undefined): TimelineLayout {
  return { nameWidth: Math.max(...containers.map(({ name }) => name.length)), width };
}

/** Renders one line without a newline and without control characters. */
export function renderTimelineLine(line: TimelineLine, layout: TimelineLayout): string {
  const { moment, connection, from, to } = line;
  const head = [
    timeLabel(moment.atNs).padStart(timeWidth),
    `${from.padStart(layout.nameWidth)} \u2192 ${to.padEnd(layout.nameWidth)}`,
    (connection === noConnection ? "" : `#${connection}`).padEnd(numberWidth),
  ].join("  ");
  return fit(head, saidIn(line), answerIn(line), layout.width);
}

/** If room is short, the question is shortened before the answer. */
function fit(head: string, said: string, answer: string, width: number | undefined): string {
  const room = (width ?? Infinity) - head.length - answer.length - 2;
  const cut = said.length > room ? `${said.slice(0, Math.max(0, room - 1))}\u2026` : said;
  const line = `${head}  ${cut}${answer}`;
  return width === undefined ? line : line.slice(0, width);
}

function saidIn({ text, lengthBytes }: TimelineLine): string {
  const line = lineOf(text);
  return lengthBytes === undefined ? line : `${formatBytes(lengthBytes)}  ${line}`.trimEnd();
}

function answerIn({ answer }: TimelineLine): string {
  if (answer === undefined) return "";
  return ` \u2192 ${lineOf(answer.text)}, ${formatLatency(answer.afterNs)}`;
}

/** A line as `--json` prints it. Times are in nanoseconds. */
export function timelineJson(line: TimelineLine): object {
  const { moment, connection, from, to, protocol, text, lengthBytes, answer } = line;
  return {
    atNs: moment.atNs,
    ...(connection === noConnection ? {} : { connection }),
    from,
    to,
    protocol,
    text,
    lengthBytes,
    ...(answer && { answer: answer.text, answerAfterNs: answer.afterNs }),
  };
}
