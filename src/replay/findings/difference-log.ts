/**
 * Collects the first difference of each stream, and counts those beyond the limit.
 *
 * A difference in bytes is announced with its first byte, so it comes before anything that is found
 * later. While more of its context arrives, newer versions replace it.
 */
import { type Difference, type DifferenceList, isNote } from "./differences.ts";

function isSamePool(one: Difference, other: Difference): boolean {
  return (
    one.kind === "moved-exchanges" &&
    one.kind === other.kind &&
    one.process === other.process &&
    one.server === other.server &&
    one.serverPort === other.serverPort
  );
}

export class DifferenceLog {
  readonly #most: number;
  readonly #kept: Difference[] = [];
  readonly #notes: Difference[] = [];
  readonly #byProcess = new Map<string, number>();
  /** Streams with a difference. */
  readonly #streams = new Set<string>();
  /** Differences whose context is still being collected, by stream: their places in the list. */
  readonly #open = new Map<string, { readonly announced: Difference; readonly at: number }>();
  #count = 0;

  /** Keeps at most `most` differences, and as many notes. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Creates a log that continues a list. */
  static from(list: DifferenceList, most: number): DifferenceLog {
    const log = new DifferenceLog(most);
    log.#count = list.count;
    log.#kept.push(...list.differences);
    log.#notes.push(...list.notes);
    for (const [process, count] of Object.entries(list.byProcess))
      log.#byProcess.set(process, count);
    return log;
  }

  /** The number of differences. */
  get count(): number {
    return this.#count;
  }

  add(difference: Difference): void {
    if (isNote(difference)) return this.#note(difference);
    if (this.#complete(difference)) this.#open.delete(keyOf(difference));
    else if (this.#isFirst(difference)) this.#append(difference);
  }

  /** Adds a difference whose context is still being collected; {@link add} replaces it. */
  announce(difference: Difference): void {
    if (this.#complete(difference) || !this.#isFirst(difference)) return;
    this.#open.set(keyOf(difference), { announced: difference, at: this.#kept.length });
    this.#append(difference);
  }

  #append(difference: Difference): void {
    this.#count++;
    const { process } = difference;
    this.#byProcess.set(process, (this.#byProcess.get(process) ?? 0) + 1);
    if (this.#kept.length < this.#most) this.#kept.push(difference);
  }

  /**
   * If the difference was announced, replaces it with this version of it, which has more context.
   */
  #complete(difference: Difference): boolean {
    const open = this.#open.get(keyOf(difference));
    if (open === undefined || !isSamePlace(open.announced, difference)) return false;
    if (open.at < this.#kept.length) this.#kept[open.at] = difference;
    return true;
  }

  list(): DifferenceList {
    return {
      differences: this.#kept,
      count: this.#count,
      byProcess: Object.fromEntries(this.#byProcess),
      notes: this.#notes,
    };
  }

  /** One note counts all moved exchanges with the same port of the same server. */
  #note(note: Difference): void {
    const at = this.#notes.findIndex((one) => isSamePool(one, note));
    const known = this.#notes[at];
    if (known?.kind === "moved-exchanges" && note.kind === "moved-exchanges")
      this.#notes[at] = { ...known, exchanges: known.exchanges + note.exchanges };
    else if (this.#notes.length < this.#most) this.#notes.push(note);
  }

  /**
   * One cause has many effects. So only the first difference of each stream counts, and the first
   * unexpected connection to each port. Unread bytes are a separate matter, and always count.
   */
  #isFirst(difference: Difference): boolean {
    if (difference.kind === "stuck") return true;
    const key = keyOf(difference);
    if (this.#streams.has(key)) return false;
    this.#streams.add(key);
    return true;
  }
}

/** Whether both are one difference in the bytes of a stream. */
function isSamePlace(one: Difference, other: Difference): boolean {
  return (
    "offset" in one &&
    "offset" in other &&
    one.kind === other.kind &&
    one.offset === other.offset &&
    unitOf(one) === unitOf(other)
  );
}

function unitOf(difference: Difference): string | undefined {
  return "unit" in difference ? difference.unit : undefined;
}

function keyOf(difference: Difference): string {
  if (!("server" in difference)) return difference.process;
  if (difference.kind === "unexpected-connection")
    return `${difference.process} ${difference.server}:${difference.serverPort}`;
  return `${difference.connection} ${difference.direction}`;
}
