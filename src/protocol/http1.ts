/**
 * HTTP/1 (RFC 9112), and the protocols that a connection can switch to: WebSocket, HTTP/2, a
 * tunnel.
 */
import { Direction } from "../base/direction.ts";
import { Http2 } from "./http2.ts";
import { Garbled, type Input, type Reading } from "./input.ts";
import { type Decoder, type Decoding, inOneLine, type Protocol, Questions } from "./message.ts";
import { tlsDecoders } from "./tls.ts";
import { webSocketFrames } from "./websocket.ts";

/** A method and the space after it: the methods registered at IANA and those in use. */
const opening =
  /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH|PURGE) /;
const longestMethod = "PROPPATCH ".length;

const requestLine = /^([!#$%&'*+.^`|~\w-]+) (\S+) HTTP\/1\.[01]$/;
const statusLine = /^HTTP\/1\.[01] ([1-9]\d\d)(?: .*)?$/;

/** Servers accept fewer. */
const mostHeaders = 1000;

/** The parts of a request on which its answer depends. */
interface Request {
  readonly method: string;
  /** The protocol that it asks to switch to, in lower case. */
  readonly upgrade: string;
}

type Headers = ReadonlyMap<string, string>;

export const http1: Protocol = {
  name: "HTTP/1",
  recognizes(bytes, direction) {
    if (direction === Direction.toClient) return false;
    const text = String.fromCharCode(...bytes.subarray(0, longestMethod));
    if (opening.test(text)) return true;
    return bytes.length < longestMethod && /^[A-Z]*$/.test(text) ? undefined : false;
  },
  decoders() {
    const session = new Session();
    return [(input) => session.requests(input), (input) => session.answers(input)];
  },
};

class Session {
  readonly #questions = new Questions<Request>();
  /** By direction, the decoders of the protocol that the connection has switched to. */
  #after: readonly [Decoder, Decoder] | undefined;

  *requests(input: Input): Decoding {
    for (;;) {
      const start = yield* input.start();
      if (this.#after) return yield* this.#after[Direction.toServer](input);
      const line = yield* input.line();
      // RFC 9112, section 2.2: an empty line may precede a request.
      if (line === "") continue;
      const [, method = "", target = ""] = requestLine.exec(line) ?? [];
      if (method === "") throw new Garbled("no request line");
      const headers = yield* readHeaders(input);
      const upgrade = (headers.get("upgrade") ?? "").toLowerCase();
      const question = this.#questions.ask({ method, upgrade });
      yield { start, text: inOneLine(`${method} ${target}`), question };
      yield* skipBody(input, headers, 0);
    }
  }

  *answers(input: Input): Decoding {
    for (;;) {
      const start = yield* input.start();
      const [, code] = statusLine.exec(yield* input.line()) ?? [];
      if (code === undefined) throw new Garbled("no status line");
      const headers = yield* readHeaders(input);
      const status = Number(code);
      // RFC 9110, section 15.2: interim answers precede the final one.
      if (status < 200 && status !== 101) {
        yield { start, text: `${status}` };
        continue;
      }
      const request = this.#questions.answer();
      this.#after = request && become(request, status);
      const isInterim = status === 101 && request?.about.upgrade === "h2c";
      yield { start, text: `${status}`, answers: isInterim ? undefined : request?.number };
      if (this.#after) return yield* this.#after[Direction.toClient](input);
      if (!hasNoBody(request?.about.method, status)) yield* skipBody(input, headers, Infinity);
    }
  }
}

/** The decoders from this answer on, if the connection is no longer HTTP/1. */
function become(
  { number, about: { method, upgrade } }: { readonly number: number; readonly about: Request },
  status: number,
): readonly [Decoder, Decoder] | undefined {
  // Tunnels usually carry TLS.
  if (method === "CONNECT" && status < 300) return tlsDecoders();
  if (status !== 101) return undefined;
  if (upgrade === "websocket") return [webSocketFrames, webSocketFrames];
  // RFC 7540, section 3.2: the answer to the request comes on stream 1.
  return upgrade === "h2c" ? new Http2().afterUpgrade(number) : tlsDecoders();
}

function hasNoBody(method: string | undefined, status: number): boolean {
  return method === "HEAD" || status === 204 || status === 304;
}

/** Reads the header section: names in lower case; the last of equal names wins. */
function* readHeaders(input: Input): Reading<Headers> {
  const headers = new Map<string, string>();
  for (let count = 0; count < mostHeaders; count++) {
    const line = yield* input.line();
    if (line === "") return headers;
    const colon = line.indexOf(":");
    if (colon < 1) throw new Garbled("no header");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  throw new Garbled("too many headers");
}

/** RFC 9112, section 6.3. `otherwiseBytes` applies if neither header gives the body's length. */
function* skipBody(input: Input, headers: Headers, otherwiseBytes: number): Reading<void> {
  const isChunked = /\bchunked$/i.test(headers.get("transfer-encoding") ?? "");
  const length = headers.get("content-length") ?? "";
  if (!isChunked && !/^(\d{1,15})?$/.test(length)) throw new Garbled("no length");
  if (isChunked) yield* skipChunks(input);
  else yield* input.skip(length === "" ? otherwiseBytes : Number(length));
}

/** RFC 9112, section 7.1. */
function* skipChunks(input: Input): Reading<void> {
  for (;;) {
    input.release();
    const [, size] = /^([\da-f]{1,12})\s*(?:;.*)?$/i.exec(yield* input.line()) ?? [];
    if (size === undefined) throw new Garbled("no chunk");
    const sizeBytes = Number.parseInt(size, 16);
    if (sizeBytes > 0) {
      yield* input.skip(sizeBytes);
      if ((yield* input.line()) !== "") throw new Garbled("a chunk of another length");
      continue;
    }
    // The trailer section, if any, and the empty line after it.
    yield* readHeaders(input);
    return;
  }
}
