/**
 * Names differences with a familiar shape: parts of protocols that differ in every run. Each shape
 * has a mask in the syntax of `--ignore`.
 */
// oxlint-disable no-control-regex -- the bytes of binary protocols
import { latin1 } from "../../base/latin1.ts";

/** The name of a difference, and a mask for it. */
export interface Shape {
  /** Such as `an HTTP date`. */
  readonly name: string;
  /** A mask that covers the difference: `server:80/Date: [^\r\n]*` and a slash. */
  readonly mask: string;
}

/** The bytes around a difference. */
export interface DifferingBytes {
  /** The bytes before the first differing one, which are equal in both. */
  readonly before: Uint8Array;
  readonly recorded: Uint8Array;
  readonly live: Uint8Array;
}

/** How many recorded bytes a shape may cover on either side of the difference. */
export const shapeReachBytes = 512;

interface Kind {
  readonly name: string;
  /** Matches the recorded bytes around the difference. */
  readonly recorded: RegExp;
  /** Matches the beginning of the live bytes. */
  readonly live: RegExp;
  /** The regular expression of the mask, for what `recorded` matched. */
  readonly mask: (match: RegExpExecArray) => string;
}

const httpDate =
  /(?:([\w-]+): )?(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT/g;

/** Everything that follows is encrypted. */
const everything = (): string => "[^]*";

const kinds: readonly Kind[] = [
  {
    name: "an HTTP date",
    recorded: httpDate,
    live: /^[\w ,:]/,
    mask: ([, header]) =>
      header === undefined
        ? String.raw`\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT`
        : String.raw`${header}: [^\r\n]*`,
  },
  {
    name: "a WebSocket key (RFC 6455)",
    recorded: /Sec-WebSocket-(?:Key|Accept): [\w+/=]*/gi,
    live: /^[\w+/=]/,
    mask: ([header = ""]) => String.raw`${header.slice(0, header.indexOf(":"))}: [^\r\n]*`,
  },
  {
    name: "a JSON web token (RFC 7519)",
    recorded: /eyJ[\w-]+\.[\w-]+\.[\w-]*/g,
    live: /^[\w.-]/,
    mask: () => String.raw`eyJ[\w-]+\.[\w-]+\.[\w-]*`,
  },
  {
    name: "a UUID (RFC 9562)",
    recorded: /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi,
    live: /^[\da-f-]/i,
    mask: () => String.raw`[\da-fA-F]{8}(-[\da-fA-F]{4}){3}-[\da-fA-F]{12}`,
  },
  {
    name: "PostgreSQL's cancel key (BackendKeyData)",
    recorded: /K\0\0\0\x0c[^]{8}/g,
    live: /^/,
    mask: () => String.raw`K\x00\x00\x00\x0c[^]{8}`,
  },
  {
    name: "a SCRAM nonce or proof (RFC 5802)",
    // Messages of the exchange: n,,n=,r=  r=,s=,i=  c=,r=,p=  v=
    recorded:
      /(?:n=[^,\0]*,r=|c=[\w+/=]+,r=)[!-+\x2d-~]+(?:,p=[\w+/=]+)?|r=[!-+\x2d-~]+,s=[\w+/=]+,i=\d+|v=[\w+/]{27,86}={0,2}/g,
    live: /^[!-~]/,
    mask: () => String.raw`\b[rspv]=[!-+\x2d-~]*`,
  },
  {
    name: "a TLS handshake, which draws new secrets in each session",
    // A record that begins with a hello: its random value is at byte 11 (RFC 8446, section 4.1.2).
    recorded: /\x16\x03[\0-\x04][^]{2}[\x01\x02][^]{3}\x03[\x01-\x03][^]{32}/g,
    live: /^/,
    mask: everything,
  },
  {
    name: "an SSH key exchange, which draws new secrets in each session",
    // KEXINIT: its cookie, and the first of its lists of names (RFC 4253, section 7.1).
    recorded: /\x14[^]{16}\0\0[^]{2}[\w@.-]{8,},/g,
    live: /^/,
    mask: everything,
  },
];

/**
 * The shape of a difference in what `process` sends, with a server at `port`; undefined if unknown.
 */
export function shapeOf(bytes: DifferingBytes, process: string, port: number): Shape | undefined {
  const before = latin1(bytes.before);
  const recorded = before + latin1(bytes.recorded);
  const live = latin1(bytes.live);
  for (const kind of kinds) {
    const match = matchAround(kind.recorded, recorded, before.length);
    if (match === undefined || !kind.live.test(live)) continue;
    return { name: kind.name, mask: `${process}:${port}/${kind.mask(match)}/` };
  }
  return undefined;
}

/** The first match that begins at or before the point and extends beyond it. */
function matchAround(pattern: RegExp, text: string, point: number): RegExpExecArray | undefined {
  for (const match of text.matchAll(pattern))
    if (match.index <= point && match.index + match[0].length > point) return match;
  return undefined;
}
