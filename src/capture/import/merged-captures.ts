/** Merges several captures into one stream of packets, in order of time. */
import { setImmediate } from "node:timers/promises";
import { type ClockCorrection, corrected } from "../align/alignment.ts";
import type { CapturedPacket } from "../read/packet.ts";
import type { CaptureFile } from "./capture-file.ts";

/** A capture and its next packet. */
interface Source {
  readonly file: CaptureFile;
  readonly number: number;
  readonly correction: ClockCorrection;
  packet: CapturedPacket | undefined;
  /** That packet's time on the reference's clock. */
  atNs: number;
}

/**
 * The number of packets after which other work of this thread gets a turn and progress is reported.
 */
const packetsPerTurn = 50_000;
/** Separates the interface numbers of different captures; no file has this many. */
const interfacesPerCapture = 4096;

export type TakePacket = (packet: CapturedPacket, atNs: number, capture: number) => void;

export class MergedCaptures {
  readonly #sources: readonly Source[];
  readonly #epochSeconds: number;
  readonly #onProgress: ((readBytes: number) => void) | undefined;

  /**
   * Times count from `epochSeconds` after 1970. `corrections` converts each capture's times to one
   * clock.
   */
  constructor(
    files: readonly CaptureFile[],
    epochSeconds: number,
    corrections: readonly ClockCorrection[],
    onProgress?: (readBytes: number) => void,
  ) {
    this.#sources = files.map((file, number) => ({
      file,
      number,
      correction: corrections[number] ?? { scale: 1, shiftNs: 0 },
      packet: undefined,
      atNs: 0,
    }));
    this.#epochSeconds = epochSeconds;
    this.#onProgress = onProgress;
  }

  /** Passes on every packet. Its bytes are valid during the call. */
  async each(take: TakePacket): Promise<void> {
    for (const source of this.#sources) await this.#advance(source);
    for (let count = 1; ; count++) {
      const source = this.#earliest();
      if (source?.packet === undefined) return;
      take(source.packet, source.atNs, source.number);
      source.packet = source.file.next();
      if (source.packet === undefined) await this.#advance(source);
      else this.#note(source, source.packet);
      if (count % packetsPerTurn === 0) await this.#tell();
    }
  }

  async #advance(source: Source): Promise<void> {
    do source.packet = source.file.next();
    while (source.packet === undefined && (await source.file.fill()));
    // The last chunk may have completed a packet.
    source.packet ??= source.file.next();
    if (source.packet !== undefined) this.#note(source, source.packet);
  }

  #note(source: Source, packet: CapturedPacket): void {
    const atNs = (packet.seconds - this.#epochSeconds) * 1e9 + packet.nanoseconds;
    source.atNs = source.number === 0 ? atNs : corrected(source.correction, atNs);
    packet.interfaceIndex += source.number * interfacesPerCapture;
  }

  #earliest(): Source | undefined {
    let earliest: Source | undefined;
    for (const source of this.#sources) {
      if (source.packet === undefined) continue;
      if (earliest === undefined || source.atNs < earliest.atNs) earliest = source;
    }
    return earliest;
  }

  async #tell(): Promise<void> {
    this.#onProgress?.(this.#sources.reduce((sum, { file }) => sum + file.readBytes, 0));
    await setImmediate();
  }
}
