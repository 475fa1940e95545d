/**
 * Parses a link specification: its two ends and its conditions.
 *
 *     'client<->server: delay 40ms jitter 5ms loss 1% rate 10mbit queue 100ms'
 *     'client->server: down at 2s, up at 5s'          '*->server: loss 0.5%'
 *
 * `<->` applies the conditions to both directions, `->` to one. `*` is any container. Where several
 * specs cover a direction, the last one replaces the others completely.
 */
import { type ContainerIndex } from "../../base/ids.ts";
import { indexOfName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";

/** A container's index, or any. */
export type LinkEnd = ContainerIndex | "*";

/** The conditions of one direction of a link. Probabilities are from 0 to 1. */
export interface LinkConditions {
  /** One way. */
  readonly delayMs: number;
  /** The delay varies by at most this, either way. Packets still arrive in order. */
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplicate: number;
  /** The probability that a packet skips the delay and overtakes earlier ones. */
  readonly reorder: number;
  /** In bits of IP packets; Infinity means no limit. */
  readonly bitsPerMs: number;
  /** A packet that would wait longer at this rate is dropped. */
  readonly queueMs: number;
  /** The times, since the run's start, at which the link alternately goes down and up. */
  readonly switches: readonly LinkSwitch[];
}

interface LinkSwitch {
  readonly atMs: number;
  readonly isUp: boolean;
}

/** One link specification. */
export interface LinkSpec {
  /** The original text, on one line. */
  readonly text: string;
  readonly from: LinkEnd;
  readonly to: LinkEnd;
  readonly bothWays: boolean;
  readonly conditions: LinkConditions;
}

const example = "'client<->server: delay 40ms loss 1%'";
const endsPattern = /^\s*(\*|[\w.-]*?\w)\s*(<->|->)\s*(\*|[\w.-]*?\w)\s*$/;
/** The dump's header stores the specs, so their length is limited. */
const longestText = 500;
/** Packets in flight take memory, so the delay is limited. */
const longestWayMs = 60_000;
const longestRunMs = 24 * 3_600_000;
/** The queue of a typical router. */
const defaultQueueMs = 200;

const timeUnitsMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
const rateUnitsPerMs: Readonly<Record<string, number>> = {
  bit: 0.001,
  kbit: 1,
  mbit: 1000,
  gbit: 1_000_000,
};

/** `names` are the containers' names, by index. Throws a UsageError that names the faulty word. */
export function parseLink(text: string, names: readonly string[]): LinkSpec {
  const line = text.trim().replaceAll(/\s+/g, " ");
  const wrong = (what: string): UsageError =>
    new UsageError(`'${line}': ${what}`, { argument: "link" });
  if (line.length > longestText) throw wrong(`it is longer than ${longestText} characters`);
  const colonAt = line.indexOf(":");
  const ends = endsPattern.exec(line.slice(0, Math.max(0, colonAt)));
  if (!ends) throw wrong(`write it like ${example}`);
  const [, first = "", arrow, second = ""] = ends;
  const parseEnd = (name: string): LinkEnd => {
    if (name === "*") return "*";
    const index = indexOfName(names, name);
    if (index === undefined)
      throw wrong(`there is no container '${name}' (there are ${names.join(", ")})`);
    return index;
  };
  const from = parseEnd(first);
  const to = parseEnd(second);
  if (from === to && from !== "*") throw wrong("a link has two ends");
  const words = line.slice(colonAt + 1).split(/[\s,]+/);
  const conditions = new ConditionsReader(words.filter(Boolean), wrong).read();
  return { text: line, from, to, bothWays: arrow === "<->", conditions };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Parses the words after the colon. */
class ConditionsReader {
  readonly #words: readonly string[];
  readonly #wrong: (what: string) => UsageError;
  #at = 0;
  readonly #given = new Set<string>();
  readonly #switches: LinkSwitch[] = [];
  readonly #conditions: Writable<LinkConditions> = {
    delayMs: 0,
    jitterMs: 0,
    loss: 0,
    duplicate: 0,
    reorder: 0,
    bitsPerMs: Infinity,
    queueMs: defaultQueueMs,
    switches: this.#switches,
  };

  constructor(words: readonly string[], wrong: (what: string) => UsageError) {
    this.#words = words;
    this.#wrong = wrong;
  }

  read(): LinkConditions {
    if (this.#words.length === 0)
      throw this.#wrong(`it has no conditions: write it like ${example}`);
    while (this.#at < this.#words.length) this.#readOne(this.#words[this.#at++] ?? "");
    this.#checkWhole();
    return this.#conditions;
  }

  #readOne(word: string): void {
    if (word === "down" || word === "up") return this.#readSwitch(word);
    if (this.#given.has(word)) throw this.#wrong(`'${word}' stands there twice`);
    this.#given.add(word);
    const conditions = this.#conditions;
    if (word === "delay") conditions.delayMs = this.#time(word, longestWayMs);
    else if (word === "jitter") conditions.jitterMs = this.#time(word, longestWayMs);
    else if (word === "queue") conditions.queueMs = this.#time(word, longestWayMs);
    else if (word === "loss" || word === "duplicate" || word === "reorder")
      conditions[word] = this.#chance(word);
    else if (word === "rate") conditions.bitsPerMs = this.#rate(word);
    else
      throw this.#wrong(
        `'${word}' is no condition: there are delay, jitter, loss, duplicate, reorder, rate, queue, 'down at' and 'up at'`,
      );
  }

  #readSwitch(word: "down" | "up"): void {
    if (this.#words[this.#at++] !== "at") throw this.#wrong(`write '${word} at' and a time`);
    const atMs = this.#time(`${word} at`, longestRunMs);
    const last = this.#switches.at(-1);
    const isUp = word === "up";
    if (last && (atMs <= last.atMs || isUp === last.isUp))
      throw this.#wrong("'down at' and 'up at' take turns, each later than the one before");
    this.#switches.push({ atMs, isUp });
  }

  #checkWhole(): void {
    const { delayMs, jitterMs, reorder, bitsPerMs } = this.#conditions;
    if (jitterMs > delayMs) throw this.#wrong("the jitter is more than the delay");
    if (reorder > 0 && delayMs === 0)
      throw this.#wrong("'reorder' needs a delay, without which nothing can be overtaken");
    if (this.#given.has("queue") && bitsPerMs === Infinity)
      throw this.#wrong("'queue' needs a rate, without which nothing waits");
  }

  #time(what: string, mostMs: number): number {
    const like = "write it like 40ms, 1.5s or 200us";
    const value = this.#number(what, /^(\d+(?:\.\d+)?)(us|ms|s|m)$/, timeUnitsMs, like);
    if (value <= mostMs) return value;
    throw this.#wrong(`'${what}' is out of range: at most ${mostMs / 1000}s`);
  }

  #chance(what: string): number {
    const value = this.#number(what, /^(\d+(?:\.\d+)?)(%)$/, { "%": 0.01 }, "write it like 0.5%");
    if (value <= 1) return value;
    throw this.#wrong(`'${what}' is out of range: at most 100%`);
  }

  #rate(what: string): number {
    const like = "write it like 56kbit, 10mbit or 1gbit (a second)";
    const value = this.#number(what, /^(\d+(?:\.\d+)?)([kmg]?bit)$/, rateUnitsPerMs, like);
    if (value > 0) return value;
    throw this.#wrong("'rate' is out of range: for a link that carries nothing write 'loss 100%'");
  }

  #number(
    what: string,
    pattern: RegExp,
    units: Readonly<Record<string, number>>,
    like: string,
  ): number {
    const word = this.#words[this.#at++];
    const match = pattern.exec(word ?? "");
    if (!match)
      throw this.#wrong(`'${[what, word].join(" ").trim()}' has no proper value: ${like}`);
    return Number(match[1]) * (units[match[2] ?? ""] ?? NaN);
  }
}
