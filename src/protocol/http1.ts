/**
 * HTTP/1 (RFC 9112), and the protocols that a connection can switch to: WebSocket, HTTP/2, a
 * tunnel.
 */
import { Direction } from "../base/direction.ts";
import { Http2 } from "./http2.ts";
import {
  hasNoBody,
  headerIn,
  readBody,
  readHeaders,
  requestLine,
  statusLine,
} from "./http1-syntax.ts";
import { Garbled, type Input } from "./input.ts";
import { type Decoder, type Decoding, inOneLine, type Protocol, Questions } from "./message.ts";
import { tlsDecoders } from "./tls.ts";
import { webSocketFrames } from "./websocket.ts";

/** A method and the space after it: the methods registered at IANA and those in use. */
const opening =
  /^(GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|TRACE|CONNECT|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|REPORT|SEARCH|PURGE) /;
const longestMethod = "PROPPATCH ".length;

/** The parts of a request on which its answer depends. */
interface Request {
  readonly method: string;
  /** The protocol that it asks to switch to, in lower case. */
  readonly upgrade: string;
}

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
      const upgrade = headerIn(headers, "upgrade").toLowerCase();
      const question = this.#questions.ask({ method, upgrade });
      yield { start, text: inOneLine(`${method} ${target}`), question };
      yield* readBody(input, headers, 0);
    }
  }

  *answers(input: Input): Decoding {
    for (;;) {
      const start = yield* input.start();
      const [, , code] = statusLine.exec(yield* input.line()) ?? [];
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
      if (!hasNoBody(request?.about.method, status)) yield* readBody(input, headers, Infinity);
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
