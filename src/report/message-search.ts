/** Searches the bytes of a connection, and assigns each match to the message that contains it. */
import { StreamSearch } from "./stream-search.ts";

/** A message, or the line that represents it. */
export interface Searched {
  /** The patterns that its bytes match; undefined if there are none. */
  found: Set<RegExp> | undefined;
}

/** The most matches that wait for their message. */
const mostMatches = 1000;

/** Searches one direction of a connection. */
export class MessageSearch {
  readonly #searches: readonly { readonly pattern: RegExp; readonly stream: StreamSearch }[];
  /** Matches in the last message, or in one that is not complete yet. */
  #matches: { readonly pattern: RegExp; readonly offset: number }[] = [];
  #last: Searched | undefined;

  constructor(patterns: readonly RegExp[]) {
    this.#searches = patterns.map((pattern) => ({ pattern, stream: new StreamSearch(pattern) }));
  }

  push(bytes: Uint8Array): void {
    // Matches in earlier pieces belong to the last message, unless a message is incomplete.
    if (this.#matches.length > mostMatches) this.settle();
    for (const { pattern, stream } of this.#searches)
      for (const offset of stream.push(bytes)) this.#matches.push({ pattern, offset });
  }

  /** A message begins at `offset`: matches before it belong to the previous message. */
  begin(message: Searched, offset: number): void {
    const before = this.#matches.filter((match) => match.offset < offset);
    if (before.length > 0) this.#matches = this.#matches.filter((match) => match.offset >= offset);
    this.#note(before);
    this.#last = message;
  }

  /** Assigns all matches so far to the last message. */
  settle(): void {
    this.#note(this.#matches);
    this.#matches = [];
  }

  #note(matches: readonly { readonly pattern: RegExp }[]): void {
    if (this.#last === undefined) return;
    for (const { pattern } of matches) (this.#last.found ??= new Set()).add(pattern);
  }
}
