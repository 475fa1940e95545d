/**
 * Learns masks from the differences in replays of unchanged commands. It is pure.
 *
 * Most often a token surrounds the first differing byte: a number, a run of hexadecimal digits, a
 * word. The learner masks it between its constant neighbours, as narrowly as the samples allow. A
 * sample that the mask does not cover widens it. Familiar shapes (shapes.ts) have masks of their
 * own.
 */
import { latin1 } from "../../base/latin1.ts";
import type { Difference } from "../findings/differences.ts";

/** A mask and its origin. */
export interface LearnedMask {
  /** In the syntax of `--ignore`. */
  readonly mask: string;
  /** Such as `an HTTP date`. */
  readonly name: string;
  /** A printable example: the recorded text, and the text in a replay. */
  readonly recorded: string;
  readonly live: string;
}

/** A kind of token. The narrower kinds come first. */
interface TokenKind {
  readonly name: string;
  /** The class of its characters. */
  readonly characters: string;
  /** A shorter run of these characters is not such a token. */
  readonly leastLength: number;
}

const kinds: readonly TokenKind[] = [
  { name: "a number", characters: String.raw`\d`, leastLength: 1 },
  { name: "hexadecimal digits", characters: String.raw`[\da-f]`, leastLength: 8 },
  { name: "hexadecimal digits", characters: String.raw`[\dA-F]`, leastLength: 8 },
  { name: "a word", characters: String.raw`[\w-]`, leastLength: 1 },
  { name: "base64", characters: String.raw`[\w+/=-]`, leastLength: 8 },
];

/** Points in time, whose parts change one by one. */
const instants: readonly { readonly name: string; readonly pattern: string }[] = [
  {
    name: "a date and time (ISO 8601)",
    pattern: String.raw`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?`,
  },
  { name: "a time of day", pattern: String.raw`\d\d:\d\d:\d\d(?:\.\d+)?` },
];

/** How many bytes before a token its mask includes. */
const neighbourBytes = 16;
/** Two masks merge if at least this many bytes before their tokens are equal. */
const leastCommonBytes = 6;
/** The length of a shown example. */
const exampleBytes = 24;
/** With fewer neighbours, a mask would match anywhere. */
const leastNeighbourBytes = 3;
/** In binary data, this many equal bytes end a difference. */
const resyncBytes = 4;

interface Sample {
  readonly place: string;
  readonly before: string;
  readonly recorded: string;
  readonly live: string;
}

/** A token and its neighbours, as seen so far. */
interface Seen {
  readonly place: string;
  /** The text before the token, and the character after it; empty where the sample ends. */
  readonly left: string;
  readonly next: string;
  readonly kind: TokenKind;
  /** The token's length; undefined if samples differ in length. */
  readonly length: number | undefined;
}

export class Learner {
  /** By mask. */
  readonly #learned = new Map<string, LearnedMask & { times: number }>();
  /** The masks that the current replay uses. */
  #inForce: ReadonlySet<string> = new Set();
  /** The tokens that masks were made for. */
  readonly #seen = new Set<Seen>();

  /**
   * The masks so far. `times` counts the differences that each explained before it was in force.
   */
  get masks(): readonly (LearnedMask & { readonly times: number })[] {
    return [...this.#learned.values()];
  }

  /** Notes that a replay begins with the masks so far. */
  noteReplay(): void {
    this.#inForce = new Set(this.#learned.keys());
  }

  /** Learns from a difference of that replay. Returns false if no new mask explains it. */
  add(difference: Difference): boolean {
    if (difference.kind !== "bytes") return false;
    const { process, serverPort, shape } = difference;
    const sample: Sample = {
      place: `${process}:${serverPort}`,
      // Masked bytes are `..`, so the neighbours begin after them.
      before: textOf(difference.before.slice(difference.before.lastIndexOf(".") + 1)),
      recorded: textOf(difference.recorded),
      live: textOf(difference.live),
    };
    if (shape !== undefined && !shape.mask.endsWith("/[^]*/"))
      return this.#note(shape.mask, shape.name, sample.recorded, sample.live);
    return this.#learnTime(sample) || this.#learnToken(sample) || this.#learnBinary(sample);
  }

  #learnTime(sample: Sample): boolean {
    const { before, place } = sample;
    for (const { name, pattern } of instants) {
      const [then, now] = [sample.recorded, sample.live].map((text) =>
        matchAround(new RegExp(pattern, "g"), before + text, before.length),
      );
      if (then === undefined || now === undefined) continue;
      return this.#note(`${place}/${pattern}/`, name, then, now);
    }
    return false;
  }

  #learnToken(sample: Sample): boolean {
    for (const kind of kinds) {
      const inside = new RegExp(`${kind.characters}*$`).exec(sample.before)?.[0] ?? "";
      const start = new RegExp(`^${kind.characters}*`);
      const then = start.exec(sample.recorded)?.[0] ?? "";
      const now = start.exec(sample.live)?.[0] ?? "";
      const [recorded, live] = [inside + then, inside + now];
      if (Math.min(recorded.length, live.length) < kind.leastLength) continue;
      const left = sample.before.slice(0, sample.before.length - inside.length);
      if (left.length < leastNeighbourBytes) continue;
      const next = sample.recorded.charAt(then.length);
      if (next !== sample.live.charAt(now.length)) continue;
      // A number within a word is only part of what varies.
      if (/[\w-]/.test(next)) continue;
      const length = recorded.length === live.length ? recorded.length : undefined;
      // If the samples end before the token does, its length is unknown.
      return this.#noteToken(sample, left, { kind, length: next === "" ? undefined : length }, [
        recorded,
        live,
        next,
      ]);
    }
    return false;
  }

  /** Merges masks of tokens with the same neighbours. The mask keeps what they have in common. */
  #noteToken(
    sample: Sample,
    before: string,
    token: Pick<Seen, "kind" | "length">,
    [recorded, live, next]: readonly [string, string, string],
  ): boolean {
    const { place } = sample;
    let seen: Seen = { ...token, place, left: before.slice(-neighbourBytes), next };
    let times = 0;
    for (const known of this.#seen) {
      const left = commonEnd(known.left, seen.left);
      const isLike = known.place === place && known.next === next;
      if (!isLike || left.length < Math.min(leastCommonBytes, seen.left.length)) continue;
      seen = { place, left, next, ...widest(known, seen) };
      times += this.#learned.get(maskOf(known))?.times ?? 0;
      this.#seen.delete(known);
      if (maskOf(known) !== maskOf(seen)) this.#learned.delete(maskOf(known));
    }
    this.#seen.add(seen);
    return this.#note(maskOf(seen), token.kind.name, recorded, live, times);
  }

  /** Learns binary bytes that differ at the same places in both, followed by equal bytes. */
  #learnBinary(sample: Sample): boolean {
    const { before, recorded, live, place } = sample;
    let length = 1;
    const isSame = (at: number): boolean =>
      recorded.slice(at, at + resyncBytes) === live.slice(at, at + resyncBytes);
    while (length < recorded.length && !isSame(length)) length++;
    if (length + resyncBytes > recorded.length || before.length < leastNeighbourBytes) return false;
    const left = before.slice(-neighbourBytes);
    const mask = `${place}/${escape(left)}[^]{${length}}/`;
    return this.#note(mask, "bytes", recorded.slice(0, length), live.slice(0, length));
  }

  /**
   * Returns false if the mask was already in force, because then it does not cover the difference.
   */
  #note(mask: string, name: string, recorded: string, live: string, times = 0): boolean {
    const known = this.#learned.get(mask);
    if (known !== undefined) {
      known.times++;
      return !this.#inForce.has(mask);
    }
    const example = { recorded: printable(recorded), live: printable(live) };
    this.#learned.set(mask, { mask, name, ...example, times: times + 1 });
    return true;
  }
}

/**
 * Renders masks as lines of an ignore file, each after a comment with the reason. `where` names
 * what was compared, such as `3 replays`.
 */
export function renderMasks(masks: Learner["masks"], where: string): string {
  return masks
    .map(
      ({ mask, name, recorded, live, times: count }) =>
        `# ${name}: differed ${count === 1 ? "once" : `${count} times`} in ${where}, for example ${recorded}, then ${live}\n${mask}\n`,
    )
    .join("");
}

function maskOf({ place, left, next, kind, length }: Seen): string {
  const many = length === undefined ? "+" : `{${length}}`;
  const ahead = next === "" ? "" : `(?=${escape(next)})`;
  return `${place}/${escape(left)}${kind.characters}${many}${ahead}/`;
}

/** The longest text that both end with. */
function commonEnd(one: string, other: string): string {
  let length = 0;
  while (length < one.length && one.at(-1 - length) === other.at(-1 - length)) length++;
  return one.slice(one.length - length);
}

function widest(one: Seen, other: Seen): Pick<Seen, "kind" | "length"> {
  const kind = kinds.indexOf(one.kind) > kinds.indexOf(other.kind) ? one.kind : other.kind;
  return { kind, length: one.length === other.length ? one.length : undefined };
}

function textOf(hex: string): string {
  const pairs = hex.match(/../g) ?? [];
  return latin1(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)));
}

function matchAround(pattern: RegExp, text: string, point: number): string | undefined {
  for (const match of text.matchAll(pattern))
    if (match.index <= point && match.index + match[0].length > point) return match[0];
  return undefined;
}

/** Escapes text for a regular expression on one line. */
function escape(text: string): string {
  return text.replaceAll(/[^]/g, (character) => {
    if (/[\w ,:;"'<>=&%@!~`-]/.test(character)) return character;
    return /[!-~]/.test(character) ? `\\${character}` : hexEscape(character);
  });
}

function printable(text: string): string {
  const shown = text.slice(0, exampleBytes).replaceAll(/[^ -~]/g, hexEscape);
  return `"${shown}"${text.length > exampleBytes ? "..." : ""}`;
}

function hexEscape(character: string): string {
  return String.raw`\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
