/** The abilities of a stream: its width, and colors if it is a terminal that supports them. */
import { styleText } from "node:util";
import type { Paint } from "../../report/paint.ts";

/** The maximum width of text on this stream; unlimited in a file. */
export function columnsOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? stream.columns || 80 : Infinity;
}

/** Decided by the stream and by NO_COLOR (Node's tty.WriteStream.hasColors). */
export function hasColors(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && stream.hasColors();
}

/** Colors for this stream; undefined if it has none. */
export function paintFor(stream: NodeJS.WriteStream): Paint | undefined {
  return hasColors(stream) ? colors : undefined;
}

// `paintFor` has already checked the stream.
const anywhere = { validateStream: false } as const;

const colors: Paint = {
  bad: (text) => styleText("red", text, anywhere),
  good: (text) => styleText("green", text, anywhere),
  heading: (text) => styleText("bold", text, anywhere),
};
