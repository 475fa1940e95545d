/**
 * Reads a capture of either format from a stream of bytes: push chunks, take packets. Memory is
 * bounded by the longest packet and one chunk.
 */
import { ByteQueue } from "./byte-queue.ts";
import { CapturedPacket, type CaptureEnd, type CaptureNote, CaptureProblem } from "./packet.ts";
import { pcapHeaderBytes, PcapReader, pcapVariant } from "./pcap.ts";
import { PcapngReader } from "./pcapng.ts";

const sectionHeader = 0x0a0d0d0a;

/** Magic numbers of other files with packets, and advice for each. */
const foreign: readonly { readonly magic: number; readonly what: string }[] = [
  { magic: 0xfd2fb528, what: "it is compressed with zstd: unpack it first ('zstd -d')" },
  { magic: 0x184d2204, what: "it is compressed with LZ4: unpack it first ('lz4 -d')" },
  { magic: 0x587a37fd, what: "it is compressed with xz: unpack it first ('xz -d')" },
  { magic: 0x04034b50, what: "it is a ZIP archive: unpack it first ('unzip')" },
  { magic: 0x6f6f6e73, what: "it is a snoop capture: convert it ('editcap -F pcapng')" },
  { magic: 0xa1b2cd34, what: "it is a modified pcap file: convert it ('editcap -F pcapng')" },
  { magic: 0x5452534e, what: "it is a Sniffer capture: convert it ('editcap -F pcapng')" },
];

/** A reader of one capture file. */
export class CaptureReader {
  readonly #queue = new ByteQueue();
  readonly #packet = new CapturedPacket();
  readonly #onNote: (note: CaptureNote) => void;
  #inner: PcapReader | PcapngReader | undefined;
  #problem: CaptureEnd["problem"];

  /** `onNote` receives the names and keys found among the packets. */
  constructor(onNote: (note: CaptureNote) => void = () => {}) {
    this.#onNote = onNote;
  }

  /** Takes the file's next bytes. Before pushing more, take packets until there are none. */
  push(chunk: Uint8Array): void {
    if (this.#problem === undefined) this.#queue.push(chunk);
  }

  /**
   * Returns the next packet, valid until the next call; undefined if more bytes are needed, or if
   * the rest is unreadable. Throws a {@link CaptureProblem} if the file is not a capture.
   */
  next(): CapturedPacket | undefined {
    if (this.#problem !== undefined) return undefined;
    this.#inner ??= this.#recognize();
    if (this.#inner === undefined) return undefined;
    try {
      return this.#inner.next(this.#packet) ? this.#packet : undefined;
    } catch (error) {
      if (!(error instanceof CaptureProblem)) throw error;
      this.#problem = { position: error.position, what: error.message };
      return undefined;
    }
  }

  /**
   * Call it after the last byte and packet. Throws a {@link CaptureProblem} if the file is not a
   * capture.
   */
  end(): CaptureEnd {
    const queue = this.#queue;
    if (this.#inner === undefined)
      throw new CaptureProblem(
        queue.length === 0 ? "it is empty" : "it is no capture file (neither pcap nor pcapng)",
        0,
      );
    if (this.#problem !== undefined) return { problem: this.#problem };
    if (queue.length === 0) return { problem: undefined };
    return { problem: { position: queue.position, what: "it ends in the middle of a packet" } };
  }

  #recognize(): PcapReader | PcapngReader | undefined {
    const queue = this.#queue;
    if (queue.length < 4) return undefined;
    const magic = queue.view.getUint32(queue.at, true);
    const known = foreign.find((one) => one.magic === magic);
    if (known !== undefined) throw new CaptureProblem(known.what, 0);
    if (magic === sectionHeader) return new PcapngReader(queue, this.#onNote);
    const variant = pcapVariant(magic);
    if (variant === undefined)
      throw new CaptureProblem("it is no capture file (neither pcap nor pcapng)", 0);
    return queue.length < pcapHeaderBytes ? undefined : new PcapReader(queue, variant);
  }
}
