/**
 * Serves the files of random bytes to a run's commands: /dev/urandom, /dev/random, and the `uuid`
 * and `boot_id` of /proc/sys/kernel/random. All are mounts of one FUSE file (core/fuse.ts). The
 * name that a reader opened, which /proc shows, says which of them it reads.
 */
import { readlinkSync } from "node:fs";
import type { Fd } from "../base/units.ts";
import { read, write } from "../sys/libc.ts";
import { allocateRegion } from "../sys/memory.ts";
import type { ProcReader } from "../sys/process-memory.ts";
import {
  mostReadBytes,
  opened,
  payloadAt,
  type ReadRequest,
  replyTo,
  requestBytes,
  writeHeader,
} from "./core/fuse.ts";
import { uuidOf } from "./core/uuid.ts";

/** The source of the bytes. */
export interface RandomSource {
  /** Draws bytes for a thread. */
  bytesFor(tid: number, lengthBytes: number): Uint8Array;
  /** The bytes of the machine's boot id, the same in the whole run. */
  readonly bootId: Uint8Array;
}

type Kind = "bytes" | "uuid" | "boot_id";

export class RandomDevice {
  readonly #fd: Fd;
  readonly #proc: ProcReader;
  readonly #source: RandomSource;
  readonly #request = allocateRegion(requestBytes);
  readonly #answer = allocateRegion(payloadAt + mostReadBytes);
  /** By handle. A file is known from its first read to its release. */
  readonly #kinds = new Map<bigint, Kind>();
  #handles = 0n;

  /** The caller keeps `fd`, which is non-blocking. */
  constructor(fd: Fd, proc: ProcReader, source: RandomSource) {
    this.#fd = fd;
    this.#proc = proc;
    this.#source = source;
  }

  /** Answers the next request, if there is one. */
  serve(): void {
    if (read(this.#fd, this.#request.address, requestBytes) <= 0) return;
    const reply = replyTo(this.#request.view);
    switch (reply.type) {
      case "none":
        return;
      case "error":
        return this.#send(new Uint8Array(), reply.errorNumber);
      case "data":
        return this.#send(reply.data);
      case "open":
        return this.#send(opened(++this.#handles));
      case "read":
        return this.#send(this.#contentFor(reply.request));
      case "release":
        this.#kinds.delete(reply.handle);
        return this.#send(new Uint8Array());
    }
  }

  #contentFor({ handle, offset, lengthBytes, tid }: ReadRequest): Uint8Array {
    let kind = this.#kinds.get(handle);
    if (!kind) this.#kinds.set(handle, (kind = this.#kindReadBy(tid)));
    if (kind === "bytes") return this.#source.bytesFor(tid, lengthBytes);
    // As the kernel does it, each read from the start has a new number, and there is no more.
    if (offset > 0n) return new Uint8Array();
    const random = kind === "uuid" ? this.#source.bytesFor(tid, 16) : this.#source.bootId;
    return Buffer.from(`${uuidOf(random)}\n`).subarray(0, lengthBytes);
  }

  /**
   * The kind of file that a thread reads. Its system call has the descriptor as its first argument,
   * or, for sendfile(2), as its second.
   */
  #kindReadBy(tid: number): Kind {
    const [, ...numbers] = this.#proc.text(`${tid}/syscall`)?.split(" ") ?? [];
    for (const fd of numbers.slice(0, 2)) {
      const name = /\/random\/(uuid|boot_id)$/.exec(pathOf(tid, Number(fd)))?.[1];
      if (name === "uuid" || name === "boot_id") return name;
    }
    return "bytes";
  }

  /** The write fails if the asking process was killed, which does not matter. */
  #send(payload: Uint8Array, errorNumber = 0): void {
    this.#answer.bytes.set(payload, payloadAt);
    const { view, address } = this.#answer;
    const length = writeHeader(view, this.#request.view, payload.length, errorNumber);
    write(this.#fd, address, length);
  }
}

function pathOf(tid: number, fd: number): string {
  try {
    return readlinkSync(`/proc/${tid}/fd/${fd}`);
  } catch {
    return "";
  }
}
