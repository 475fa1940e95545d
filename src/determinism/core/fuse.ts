/**
 * The FUSE protocol (<linux/fuse.h>, fuse(4)) for a single endless file: the kernel's requests
 * about /dev/urandom, and the answers, except for the random bytes themselves.
 */

// <linux/fuse.h>
const opcode = {
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  access: 34,
  interrupt: 36,
  batchForget: 42,
} as const;
const inHeader = { sizeBytes: 40, opcodeAt: 4, uniqueAt: 8, pidAt: 32 } as const;
const outHeader = { sizeBytes: 16, errorAt: 4, uniqueAt: 8 } as const;
const version = { major: 7, minor: 31 } as const;
const FOPEN_DIRECT_IO = 1;
const ENOSYS = 38;

/**
 * The mode of a regular file that anyone may read and write (stat(2)); also the mount's `rootmode`.
 */
export const deviceMode = 0o100_666;
/** The kernel demands room for its largest request, and no less than FUSE_MIN_READ_BUFFER. */
export const requestBytes: number = 8192 + 4096;
/** The most bytes that one request reads: 32 pages (FUSE_DEFAULT_MAX_PAGES_PER_REQ). */
export const mostReadBytes: number = 32 * 4096;
const mostWriteBytes = 4096;

/** The content of an answer, without its header, or what the caller has to decide. */
export type Reply =
  | { readonly type: "none" }
  | { readonly type: "error"; readonly errorNumber: number }
  | { readonly type: "data"; readonly data: Uint8Array }
  | { readonly type: "open" }
  | { readonly type: "read"; readonly request: ReadRequest }
  | { readonly type: "release"; readonly handle: bigint };

/** A read of `lengthBytes` at `offset` by the thread `tid`. */
export interface ReadRequest {
  readonly handle: bigint;
  readonly offset: bigint;
  readonly lengthBytes: number;
  readonly tid: number;
}

export function replyTo(request: DataView): Reply {
  const body = inHeader.sizeBytes;
  switch (request.getUint32(inHeader.opcodeAt, true)) {
    case opcode.forget:
    case opcode.batchForget:
    case opcode.interrupt:
      return { type: "none" };
    case opcode.init:
      return { type: "data", data: initialization(request.getUint32(body + 4, true)) };
    case opcode.getattr:
    case opcode.setattr:
      return { type: "data", data: attributes() };
    case opcode.open:
      return { type: "open" };
    case opcode.read:
      return { type: "read", request: readRequest(request) };
    // A writer means to add entropy; the bytes are ignored.
    case opcode.write:
      return { type: "data", data: words(8, [0, request.getUint32(body + 16, true)]) };
    case opcode.release:
      return { type: "release", handle: request.getBigUint64(body, true) };
    case opcode.fsync:
    case opcode.flush:
    case opcode.access:
      return { type: "data", data: new Uint8Array() };
    default:
      return { type: "error", errorNumber: ENOSYS };
  }
}

/**
 * Writes the header of the answer to `request` before `lengthBytes` bytes of payload. Returns the
 * total length.
 */
export function writeHeader(
  answer: DataView,
  request: DataView,
  lengthBytes: number,
  errorNumber = 0,
): number {
  const totalBytes = outHeader.sizeBytes + lengthBytes;
  answer.setUint32(0, totalBytes, true);
  answer.setInt32(outHeader.errorAt, -errorNumber, true);
  answer.setBigUint64(outHeader.uniqueAt, request.getBigUint64(inHeader.uniqueAt, true), true);
  return totalBytes;
}

/** The offset of an answer's payload. */
export const payloadAt: number = outHeader.sizeBytes;

/** `struct fuse_read_in` */
function readRequest(request: DataView): ReadRequest {
  const body = inHeader.sizeBytes;
  return {
    handle: request.getBigUint64(body, true),
    offset: request.getBigUint64(body + 8, true),
    lengthBytes: Math.min(request.getUint32(body + 16, true), mostReadBytes),
    tid: request.getUint32(inHeader.pidAt, true),
  };
}

/** The answer to `open`: `struct fuse_open_out`. The handle comes back with each read. */
export function opened(handle: bigint): Uint8Array {
  const bytes = words(16, [8, FOPEN_DIRECT_IO]);
  new DataView(bytes.buffer).setBigUint64(0, handle, true);
  return bytes;
}

/** `struct fuse_init_out` */
function initialization(kernelMinor: number): Uint8Array {
  return words(
    64,
    [0, version.major],
    [4, Math.min(kernelMinor, version.minor)],
    [20, mostWriteBytes],
  );
}

/** `struct fuse_attr_out`. It is never cached, because requests for it are rare. */
function attributes(): Uint8Array {
  return words(104, [16, 1], [76, deviceMode], [80, 1], [96, 4096]);
}

/** Zeros, except for these 32-bit words, by offset. */
function words(
  sizeBytes: number,
  ...values: readonly (readonly [at: number, value: number])[]
): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of values) view.setUint32(at, value, true);
  return bytes;
}
