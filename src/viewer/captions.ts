/** The content of an event on one line, read from the dump on demand. */
import type { EventNumber } from "../base/ids.ts";
import { RecordKind } from "../dump/format/schema.ts";
import { asLine } from "../report/bytes.ts";
import { packetLabel } from "../report/events.ts";
import { type LoadedDump, payloadOf } from "./load.ts";

/** The size of the cache, which makes scrolling back and forth cheap. */
const mostKept = 4096;
/** The number of bytes that a line can show. */
const shownBytes = 160;

export class Captions {
  readonly #dump: LoadedDump;
  readonly #kept = new Map<number, Promise<string>>();

  constructor(dump: LoadedDump) {
    this.#dump = dump;
  }

  /**
   * What an event says, else the bytes of a stream as text or what a packet is; nothing for other
   * events.
   */
  of(event: EventNumber): Promise<string> {
    const known = this.#kept.get(event);
    if (known !== undefined) return known;
    if (this.#kept.size >= mostKept) this.#kept.clear();
    const caption = this.#read(event);
    this.#kept.set(event, caption);
    return caption;
  }

  async #read(event: EventNumber): Promise<string> {
    const text = this.#dump.texts.of(event);
    if (text !== undefined) return text;
    const kind = this.#dump.index.kind(event);
    if (kind === RecordKind.data) return asLine(await payloadOf(this.#dump, event, shownBytes));
    if (kind === RecordKind.packet) return packetLabel(await payloadOf(this.#dump, event));
    return "";
  }
}
