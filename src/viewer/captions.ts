/** What an event carries, in a line: read from the dump when it is looked at. */
import { RecordKind } from "../dump/format/schema.ts";
import { asLine } from "../report/bytes.ts";
import { packetLabel } from "../report/events.ts";
import { type LoadedDump, payloadOf } from "./load.ts";

/** As many as are kept, so that scrolling back and forth reads nothing twice. */
const mostKept = 4096;
/** As much of a stream's piece as a line may show. */
const shownBytes = 160;

export class Captions {
  readonly #dump: LoadedDump;
  readonly #kept = new Map<number, Promise<string>>();

  constructor(dump: LoadedDump) {
    this.#dump = dump;
  }

  /** What an event says, else the bytes of a stream as text or what a packet is; nothing for other events. */
  of(event: number): Promise<string> {
    const known = this.#kept.get(event);
    if (known !== undefined) return known;
    if (this.#kept.size >= mostKept) this.#kept.clear();
    const caption = this.#read(event);
    this.#kept.set(event, caption);
    return caption;
  }

  async #read(event: number): Promise<string> {
    const text = this.#dump.texts.of(event);
    if (text !== undefined) return text;
    const kind = this.#dump.index.kind(event);
    if (kind === RecordKind.data) return asLine(await payloadOf(this.#dump, event, shownBytes));
    if (kind === RecordKind.packet) return packetLabel(await payloadOf(this.#dump, event));
    return "";
  }
}
