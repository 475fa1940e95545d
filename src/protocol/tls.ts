/**
 * TLS records and hellos (RFC 8446; RFC 5246 for 1.2), as far as they are readable without keys.
 */
import { Direction } from "../base/direction.ts";
import { formatBytes } from "../base/text.ts";
import { Garbled, type Input, type Start, textOf } from "./input.ts";
import { type Decoder, type Decoding, inOneLine, type Protocol, type Decoded } from "./message.ts";

const protocol = "TLS";

const ContentType = {
  changeCipherSpec: 20,
  alert: 21,
  handshake: 22,
  applicationData: 23,
} as const;
const HandshakeType = { clientHello: 1, serverHello: 2 } as const;
const Extension = { serverName: 0, alpn: 16, supportedVersions: 43 } as const;

/** RFC 8446, section 5.2: a record of TLS 1.2 may be 2048 bytes longer than its content. */
const mostRecordBytes = 2 ** 14 + 2048;
/** RFC 8446, section 4.1.3: the random value of a server that requests another hello. */
const retryRandom = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";

const versions: Readonly<Record<number, string>> = {
  0x0300: "SSL 3.0",
  0x0301: "TLS 1.0",
  0x0302: "TLS 1.1",
  0x0303: "TLS 1.2",
  0x0304: "TLS 1.3",
};

const alerts: Readonly<Record<number, string>> = {
  0: "close notify",
  10: "unexpected message",
  20: "bad record mac",
  40: "handshake failure",
  42: "bad certificate",
  43: "unsupported certificate",
  44: "certificate revoked",
  45: "certificate expired",
  46: "certificate unknown",
  47: "illegal parameter",
  48: "unknown CA",
  49: "access denied",
  50: "decode error",
  51: "decrypt error",
  70: "protocol version",
  80: "internal error",
  86: "inappropriate fallback",
  90: "user canceled",
  109: "missing extension",
  112: "unrecognized name",
  116: "certificate required",
  120: "no application protocol",
};

export const tls: Protocol = {
  name: protocol,
  recognizes(bytes, direction) {
    if (direction === Direction.toClient) return false;
    // A handshake record of version 3.x with a client's hello.
    const isSo = [0x16, 0x03, undefined, undefined, undefined, HandshakeType.clientHello].every(
      (byte, i) => byte === undefined || i >= bytes.length || bytes[i] === byte,
    );
    return isSo && bytes.length < 6 ? undefined : isSo;
  },
  decoders() {
    return tlsDecoders();
  },
};

/** Decoders for a connection that speaks TLS from here on. */
export function tlsDecoders(): readonly [Decoder, Decoder] {
  const session = new Session();
  return [
    (input) => session.records(input, Direction.toServer),
    (input) => session.records(input, Direction.toClient),
  ];
}

class Session {
  /** The number of hellos from the client: the second one answers a retry. */
  #hellos = 0;

  *records(input: Input, direction: Direction): Decoding {
    for (let isEncrypted = false; ;) {
      const start = yield* input.start();
      const [type = 0, major = 0, , high = 0, low = 0] = yield* input.take(5);
      const lengthBytes = (high << 8) | low;
      const isKnown = type >= ContentType.changeCipherSpec && type <= ContentType.applicationData;
      if (!isKnown || major !== 3 || lengthBytes > mostRecordBytes) throw new Garbled("no record");
      const record = yield* input.take(lengthBytes);
      if (type === ContentType.changeCipherSpec) isEncrypted = true;
      else yield this.#describe(start, type, record, direction, isEncrypted);
    }
  }

  #describe(
    start: Start,
    type: number,
    record: Uint8Array,
    direction: Direction,
    isEncrypted: boolean,
  ): Decoded {
    if (type === ContentType.handshake && !isEncrypted) {
      if (record[0] === HandshakeType.clientHello && direction === Direction.toServer)
        return { start, protocol, text: clientHello(record), question: ++this.#hellos };
      if (record[0] === HandshakeType.serverHello && direction === Direction.toClient)
        return { start, protocol, text: serverHello(record), answers: this.#hellos || undefined };
    }
    return { start, protocol, text: describeRecord(type, record, isEncrypted) };
  }
}

function describeRecord(type: number, record: Uint8Array, isEncrypted: boolean): string {
  if (type === ContentType.applicationData) return `encrypted, ${formatBytes(record.length)}`;
  if (type === ContentType.handshake) return `handshake, ${formatBytes(record.length)}`;
  if (isEncrypted || record.length !== 2) return "encrypted alert";
  return `alert: ${alerts[record[1] as number] ?? record[1]}`;
}

function clientHello(record: Uint8Array): string {
  const hello = new Reader(record.subarray(4));
  const legacyVersion = hello.number(2);
  hello.skip(32);
  hello.vector(1); // The session's id.
  hello.vector(2); // Cipher suites.
  hello.vector(1); // Compression methods.
  const extensions = extensionsOf(hello);
  const name = serverNameIn(extensions.get(Extension.serverName));
  const version = newestIn(extensions.get(Extension.supportedVersions)) ?? legacyVersion;
  const protocols = protocolsIn(extensions.get(Extension.alpn));
  return inOneLine(["TLS hello", name, nameVersion(version), protocols].filter(Boolean).join(", "));
}

function serverHello(record: Uint8Array): string {
  const hello = new Reader(record.subarray(4));
  const legacyVersion = hello.number(2);
  const random = Array.from(hello.bytes(32), (byte) => byte.toString(16).padStart(2, "0")).join("");
  hello.vector(1); // The session's id.
  hello.skip(3); // The cipher suite and the compression method.
  const extensions = extensionsOf(hello);
  const version = extensions.get(Extension.supportedVersions)?.number(2) ?? legacyVersion;
  const protocols = protocolsIn(extensions.get(Extension.alpn));
  const what = random === retryRandom ? "asks for another hello" : nameVersion(version);
  return inOneLine([what, protocols].filter(Boolean).join(", "));
}

function nameVersion(version: number): string {
  return versions[version] ?? `version ${version.toString(16)}`;
}

/** By type. */
function extensionsOf(hello: Reader): Map<number, Reader> {
  const extensions = new Map<number, Reader>();
  const list = hello.vector(2);
  while (!list.isAtEnd) {
    const type = list.number(2);
    extensions.set(type, list.vector(2));
  }
  return extensions;
}

/** RFC 6066, section 3. */
function serverNameIn(extension: Reader | undefined): string | undefined {
  const list = extension?.vector(2);
  if (!list || list.isAtEnd) return undefined;
  list.skip(1);
  return textOf(list.vector(2).rest());
}

/**
 * The newest version offered, without the reserved values that test servers' tolerance (RFC 8701).
 */
function newestIn(extension: Reader | undefined): number | undefined {
  if (extension === undefined) return undefined;
  const list = extension.vector(1);
  let newest: number | undefined;
  while (!list.isAtEnd) {
    const version = list.number(2);
    if (versions[version] !== undefined) newest = Math.max(newest ?? 0, version);
  }
  return newest;
}

/** RFC 7301: `h2 http/1.1`. */
function protocolsIn(extension: Reader | undefined): string | undefined {
  if (extension === undefined) return undefined;
  const list = extension.vector(2);
  const names: string[] = [];
  while (!list.isAtEnd) names.push(textOf(list.vector(1).rest()));
  return names.length === 0 ? undefined : names.join(" ");
}

/**
 * Reads numbers and vectors. Beyond the end everything is empty and zero, for example in a hello
 * that spans two records.
 */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(lengthBytes: number): void {
    this.#at += lengthBytes;
  }

  bytes(lengthBytes: number): Uint8Array {
    this.#at += lengthBytes;
    return this.#bytes.subarray(this.#at - lengthBytes, this.#at);
  }

  number(lengthBytes: number): number {
    return this.bytes(lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** Reads a vector whose length field takes `lengthBytes` bytes. */
  vector(lengthBytes: number): Reader {
    return new Reader(this.bytes(this.number(lengthBytes)));
  }

  rest(): Uint8Array {
    return this.bytes(Math.max(0, this.#bytes.length - this.#at));
  }
}
