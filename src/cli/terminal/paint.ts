/** What a stream can show: its width, and colors where it is a terminal that has them. */
import { styleText } from "node:util";
import type { Paint } from "../../report/paint.ts";

/** How wide text on this stream may be: a file has no end. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns || 80 : Infinity;
}

/** The stream decides, and NO_COLOR (node: tty.WriteStream.hasColors). */
export function hasColors(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.hasColors();
}

/** Colors for this stream; undefined where it has none. */
export function paintFor(stream: NodeJS.WriteStream): Paint | undefined {
  return hasColors(stream) ? colors : undefined;
}

// Whoever uses them has asked the stream.
const anywhere = { validateStream: false } as const;

const colors: Paint = {
  bad: (text) => styleText("red", text, anywhere),
  good: (text) => styleText("green", text, anywhere),
  heading: (text) => styleText("bold", text, anywhere),
};
