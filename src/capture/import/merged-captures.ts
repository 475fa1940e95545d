/** Several captures as one stream of packets, in the order of their times. */
import { setImmediate } from "node:timers/promises";
import type { CapturedPacket } from "../read/packet.ts";
import type { CaptureFile } from "./capture-file.ts";

/** A capture, and the packet of it that is next. */
interface Source {
  readonly file: CaptureFile;
  packet: CapturedPacket | undefined;
}

/** How many packets pass before others on this thread have their turn, and progress is reported. */
const packetsPerTurn = 50_000;

export class MergedCaptures {
  readonly #sources: readonly Source[];
  readonly #onProgress: ((readBytes: number) => void) | undefined;
  #isStarted = false;

  constructor(files: readonly CaptureFile[], onProgress?: (readBytes: number) => void) {
    this.#sources = files.map((file) => ({ file, packet: undefined }));
    this.#onProgress = onProgress;
  }

  /** The whole second of the earliest first packet, or 0 if there is no packet. */
  async firstSeconds(): Promise<number> {
    await this.#start();
    const seconds = this.#sources.flatMap(({ packet }) => packet?.seconds ?? []);
    return seconds.length === 0 ? 0 : Math.min(...seconds);
  }

  /** Passes every packet on; its bytes are good during the call. */
  async each(take: (packet: CapturedPacket) => void): Promise<void> {
    await this.#start();
    for (let count = 1; ; count++) {
      const source = this.#earliest();
      if (source === undefined) return;
      take(source.packet as CapturedPacket);
      source.packet = source.file.next();
      if (source.packet === undefined) await this.#advance(source);
      if (count % packetsPerTurn === 0) await this.#tell();
    }
  }

  async close(): Promise<void> {
    for (const { file } of this.#sources) await file.close();
  }

  async #start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const source of this.#sources) await this.#advance(source);
  }

  async #advance(source: Source): Promise<void> {
    do source.packet = source.file.next();
    while (source.packet === undefined && (await source.file.fill()));
    // What the last chunk completed.
    source.packet ??= source.file.next();
  }

  #earliest(): Source | undefined {
    let earliest: Source | undefined;
    for (const source of this.#sources) {
      if (source.packet === undefined) continue;
      if (earliest?.packet === undefined || isBefore(source.packet, earliest.packet))
        earliest = source;
    }
    return earliest;
  }

  async #tell(): Promise<void> {
    this.#onProgress?.(this.#sources.reduce((sum, { file }) => sum + file.readBytes, 0));
    await setImmediate();
  }
}

function isBefore(a: CapturedPacket, b: CapturedPacket): boolean {
  return a.seconds < b.seconds || (a.seconds === b.seconds && a.nanoseconds < b.nanoseconds);
}
