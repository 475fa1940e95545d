/**
 * Writes an export as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), which browsers'
 * developer tools and proxies open: every HTTP/1 request with its answer.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import type { ContainerIndex } from "../../base/ids.ts";
import type { DumpItem } from "../../dump/format/decoder.ts";
import type { RunInfo } from "../../dump/format/schema.ts";
import { type CarriedExchange, HttpCollector } from "../har.ts";
import type { HttpExchange, HttpPart } from "../../protocol/http1-exchanges.ts";
import { type Header, headerIn } from "../../protocol/http1-syntax.ts";
import { LineFile } from "./line-file.ts";

/** Unknown, in the HAR format. */
const unknown = -1;
/** The most bytes that a body may have after decompression. */
const unpackedBytesMax = 64 << 20;

/** Writes the requests of the items to `path`. Returns their number. */
export function writeHar(path: string, items: Iterable<DumpItem>, toolVersion: string): number {
  const file = new LineFile(path);
  let count = 0;
  try {
    const creator = { name: "plg", version: toolVersion };
    file.add(`{"log":{"version":"1.2","creator":${JSON.stringify(creator)},"entries":[`);
    for (const entry of entriesOf(items)) file.add(`${count++ === 0 ? "" : ","}${entry}`);
    file.add("]}}");
    file.finish();
    return count;
  } finally {
    file.close();
  }
}

function* entriesOf(items: Iterable<DumpItem>): Generator<string> {
  const collector = new HttpCollector();
  let run: RunInfo | undefined;
  for (const item of items) {
    if (item.type === "run") ({ run } = item);
    for (const carried of collector.add(item))
      if (run !== undefined) yield JSON.stringify(entryOf(run, carried));
  }
  for (const carried of collector.finish())
    if (run !== undefined) yield JSON.stringify(entryOf(run, carried));
}

function entryOf(run: RunInfo, { exchange, connection }: CarriedExchange): object {
  const { request, answer } = exchange;
  const startMs = Number(run.startNs / 1000n) / 1000 + request.startedNs / 1e6;
  const nameOf = (container: ContainerIndex): string =>
    run.containers[container]?.name ?? "unknown";
  const timings = timingsOf(exchange);
  return {
    startedDateTime: new Date(startMs).toISOString(),
    time: Math.max(0, timings.send) + Math.max(0, timings.wait) + Math.max(0, timings.receive),
    request: requestOf(exchange),
    response: answer === undefined ? noAnswer : answerOf(answer),
    cache: {},
    timings,
    connection: String(connection.number),
    comment: [
      `${nameOf(connection.client.container)} to ${nameOf(connection.server.container)}`,
      ...(request.isWhole && answer?.isWhole === true ? [] : ["not whole in the recording"]),
    ].join("; "),
  };
}

/** As browsers write a request that got no answer. */
const noAnswer = {
  status: 0,
  statusText: "",
  httpVersion: "",
  cookies: [],
  headers: [],
  content: { size: 0, mimeType: "" },
  redirectURL: "",
  headersSize: unknown,
  bodySize: unknown,
};

function timingsOf({ request, answer }: HttpExchange): {
  send: number;
  wait: number;
  receive: number;
} {
  const send = msBetween(request.startedNs, request.endedNs);
  if (answer === undefined) return { send, wait: unknown, receive: unknown };
  return {
    send,
    wait: msBetween(request.endedNs, answer.startedNs),
    receive: msBetween(Math.max(request.endedNs, answer.startedNs), answer.endedNs),
  };
}

/** An answer may begin before its request has ended. */
function msBetween(fromNs: number, toNs: number): number {
  return Math.max(0, (toNs - fromNs) / 1e6);
}

function requestOf({ request }: HttpExchange): object {
  const { method, target, version, headers, headBytes, bodyBytes } = request;
  const url = urlOf(method, target, headerIn(headers, "host"));
  const mimeType = headerIn(headers, "content-type");
  return {
    method,
    url,
    httpVersion: `HTTP/${version}`,
    cookies: cookiesOf(headers, "cookie"),
    headers,
    queryString: queryOf(url),
    ...(bodyBytes === 0 ? {} : { postData: { mimeType, params: [], ...textOf(request) } }),
    headersSize: headBytes,
    bodySize: bodyBytes,
  };
}

function answerOf(answer: NonNullable<HttpExchange["answer"]>): object {
  const { status, reason, version, headers, headBytes, bodyBytes } = answer;
  return {
    status,
    statusText: reason,
    httpVersion: `HTTP/${version}`,
    cookies: cookiesOf(headers, "set-cookie"),
    headers,
    content: contentOf(answer),
    redirectURL: headerIn(headers, "location"),
    headersSize: headBytes,
    bodySize: bodyBytes,
  };
}

/** RFC 9112, section 3.2: the target is absolute, an authority (CONNECT), or a path on a host. */
function urlOf(method: string, target: string, host: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) return target;
  return method === "CONNECT" ? `http://${target}` : `http://${host}${target}`;
}

function queryOf(url: string): Header[] {
  const at = url.indexOf("?");
  if (at < 0) return [];
  return [...new URLSearchParams(url.slice(at + 1).split("#")[0])].map(([name, value]) => ({
    name,
    value,
  }));
}

/** RFC 6265: `Cookie` has pairs; `Set-Cookie` has one, and attributes. */
function cookiesOf(headers: readonly Header[], name: "cookie" | "set-cookie"): Header[] {
  const values = headers.filter((one) => one.name.toLowerCase() === name);
  return values.flatMap(({ value }) => {
    const pairs = value.split(";").map((pair) => pair.trim());
    return (name === "cookie" ? pairs : pairs.slice(0, 1))
      .filter((pair) => pair !== "")
      .map((pair) => {
        const at = pair.indexOf("=");
        return { name: pair.slice(0, Math.max(at, 0)), value: pair.slice(at + 1) };
      });
  });
}

function contentOf(answer: HttpPart): object {
  const mimeType = headerIn(answer.headers, "content-type");
  const bytes = bodyOf(answer);
  const size = bytes?.length ?? answer.bodyBytes;
  return { size, compression: size - answer.bodyBytes, mimeType, ...textOf(answer, bytes) };
}

/** The body as text, or in Base64 if it is not UTF-8. */
function textOf(part: HttpPart, bytes: Uint8Array | undefined = bodyOf(part)): object {
  if (bytes === undefined) return { comment: "the body is too long for this file" };
  if (bytes.length === 0) return {};
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { text: Buffer.from(bytes).toString("base64"), encoding: "base64" };
  }
}

/** The body without its content coding, as HAR wants it; with it if that cannot be undone. */
function bodyOf({ body, bodyBytes, headers }: HttpPart): Uint8Array | undefined {
  const bytes = Buffer.concat(body);
  if (bytes.length < bodyBytes) return undefined;
  const unpack = unpackers[headerIn(headers, "content-encoding").toLowerCase()];
  if (unpack === undefined || bytes.length === 0) return bytes;
  try {
    return unpack(bytes);
  } catch {
    return bytes;
  }
}

const limit = { maxOutputLength: unpackedBytesMax };
const unpackers: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  gzip: (bytes) => gunzipSync(bytes, limit),
  "x-gzip": (bytes) => gunzipSync(bytes, limit),
  deflate: (bytes) => inflateSync(bytes, limit),
  br: (bytes) => brotliDecompressSync(bytes, limit),
};
