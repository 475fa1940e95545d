/** Serves /dev/urandom and /dev/random of a run's commands: see core/fuse.ts. */
import type { Fd } from "../base/units.ts";
import { read, write } from "../sys/libc.ts";
import { allocateRegion } from "../sys/memory.ts";
import { mostReadBytes, payloadAt, replyTo, requestBytes, writeHeader } from "./core/fuse.ts";

export class RandomDevice {
  readonly #fd: Fd;
  readonly #bytesFor: (tid: number, lengthBytes: number) => Uint8Array;
  readonly #request = allocateRegion(requestBytes);
  readonly #answer = allocateRegion(payloadAt + mostReadBytes);

  /** The caller keeps `fd`, which is non-blocking. `bytesFor` draws random bytes for a thread. */
  constructor(fd: Fd, bytesFor: (tid: number, lengthBytes: number) => Uint8Array) {
    this.#fd = fd;
    this.#bytesFor = bytesFor;
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
      case "bytes":
        return this.#send(this.#bytesFor(reply.pid, reply.lengthBytes));
    }
  }

  /** The write fails if the asking process was killed, which does not matter. */
  #send(payload: Uint8Array, errorNumber = 0): void {
    this.#answer.bytes.set(payload, payloadAt);
    const { view, address } = this.#answer;
    const length = writeHeader(view, this.#request.view, payload.length, errorNumber);
    write(this.#fd, address, length);
  }
}
