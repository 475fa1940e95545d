/** Searches the bytes of a connection, and finds out to which message a match belongs. */
import { StreamSearch } from "./stream-search.ts";

/** A message, or the line that stands for it. */
export interface Searched {
  /** The patterns that its bytes match; undefined if none does. */
  found: Set<RegExp> | undefined;
}

/** As many matches wait for the message that they belong to. */
const mostMatches = 1000;

/** One direction of a connection. */
export class MessageSearch {
  readonly #searches: readonly { readonly pattern: RegExp; readonly stream: StreamSearch }[];
  /** Matches that belong to the last message, or to one that is not complete yet. */
  #matches: { readonly pattern: RegExp; readonly offset: number }[] = [];
  #last: Searched | undefined;

  constructor(patterns: readonly RegExp[]) {
    this.#searches = patterns.map((pattern) => ({ pattern, stream: new StreamSearch(pattern) }));
  }

  push(bytes: Uint8Array): void {
    // Those of the piece before belong to the last message, unless a message goes on.
    if (this.#matches.length > mostMatches) this.settle();
    for (const { pattern, stream } of this.#searches)
      for (const offset of stream.push(bytes)) this.#matches.push({ pattern, offset });
  }

  /** A message begins at `offset`: matches before it belong to the one before. */
  begin(message: Searched, offset: number): void {
    const before = this.#matches.filter((match) => match.offset < offset);
    if (before.length > 0) this.#matches = this.#matches.filter((match) => match.offset >= offset);
    this.#note(before);
    this.#last = message;
  }

  /** All matches so far belong to the last message. */
  settle(): void {
    this.#note(this.#matches);
    this.#matches = [];
  }

  #note(matches: readonly { readonly pattern: RegExp }[]): void {
    if (this.#last === undefined) return;
    for (const { pattern } of matches) (this.#last.found ??= new Set()).add(pattern);
  }
}
