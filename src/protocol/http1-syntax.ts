/** The syntax of HTTP/1 messages (RFC 9112): start lines, headers and bodies. */
import { Garbled, type Input, type Reading } from "./input.ts";

/** Method and target. */
export const requestLine: RegExp = /^([!#$%&'*+.^`|~\w-]+) (\S+) HTTP\/(1\.[01])$/;
/** Status and reason. */
export const statusLine: RegExp = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: (.*))?$/;

/** Servers accept fewer. */
const mostHeaders = 1000;

/** A header as it was sent. */
export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Reads the header section. */
export function* readHeaders(input: Input): Reading<readonly Header[]> {
  const headers: Header[] = [];
  while (headers.length < mostHeaders) {
    const line = yield* input.line();
    if (line === "") return headers;
    const colon = line.indexOf(":");
    if (colon < 1) throw new Garbled("no header");
    headers.push({ name: line.slice(0, colon), value: line.slice(colon + 1).trim() });
  }
  throw new Garbled("too many headers");
}

/** The value of a header, named in lower case; of equal names, the last one's. Empty if absent. */
export function headerIn(headers: readonly Header[], name: string): string {
  return headers.findLast((one) => one.name.toLowerCase() === name)?.value ?? "";
}

/** Whether an answer has no body, whatever its headers say (RFC 9112, section 6.3). */
export function hasNoBody(method: string | undefined, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/**
 * Reads a body (RFC 9112, section 6.3). `otherwiseBytes` applies if neither header gives its
 * length. `take` receives its bytes, without the transfer coding; they are valid during the call.
 */
export function* readBody(
  input: Input,
  headers: readonly Header[],
  otherwiseBytes: number,
  take?: (bytes: Uint8Array) => void,
): Reading<void> {
  const isChunked = /\bchunked$/i.test(headerIn(headers, "transfer-encoding"));
  const length = headerIn(headers, "content-length");
  if (!isChunked && !/^(\d{1,15})?$/.test(length)) throw new Garbled("no length");
  if (isChunked) yield* readChunks(input, take);
  else yield* pass(input, length === "" ? otherwiseBytes : Number(length), take);
}

/** RFC 9112, section 7.1. */
function* readChunks(input: Input, take?: (bytes: Uint8Array) => void): Reading<void> {
  for (;;) {
    input.release();
    const [, size] = /^([\da-f]{1,12})\s*(?:;.*)?$/i.exec(yield* input.line()) ?? [];
    if (size === undefined) throw new Garbled("no chunk");
    const sizeBytes = Number.parseInt(size, 16);
    if (sizeBytes > 0) {
      yield* pass(input, sizeBytes, take);
      if ((yield* input.line()) !== "") throw new Garbled("a chunk of another length");
      continue;
    }
    // The trailer section, if any, and the empty line after it.
    yield* readHeaders(input);
    return;
  }
}

function* pass(
  input: Input,
  lengthBytes: number,
  take?: (bytes: Uint8Array) => void,
): Reading<void> {
  if (take === undefined) {
    yield* input.skip(lengthBytes);
    return;
  }
  for (let left = lengthBytes; left > 0;) {
    const piece = yield* input.some(left);
    take(piece);
    left -= piece.length;
  }
}
