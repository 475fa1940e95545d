/**
 * Selects part of a recording: the one language of `show`, `export` and the viewer's filter.
 *
 * A selection is a list of words, and an event passes if every word holds for it. `client` is a
 * container at either end, `reset` a kind of event (the beginning of either is enough), `#3` a
 * connection, `:6379` a port at either end, `from=1.5s` and `to=2s` bounds of the time since the
 * start of the run, and `/regex/` what the text has to match. The command line has options for the
 * last three: `--from`, `--to` and `--grep`.
 */
import { UsageError } from "../base/errors.ts";
import type { RecordKind } from "../dump/format/schema.ts";
import { kindWords } from "./events.ts";

/** The facts by which an event is selected. */
export interface EventFacts {
  readonly kind: RecordKind;
  /** The connection's number; 0 for a packet, which has no ports either. */
  readonly connection: number;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Containers; the receiver of a packet to no single one is -1. */
  readonly sender: number;
  readonly receiver: number;
  /** Since the start of the run, in nanoseconds. */
  readonly atNs: number;
}

/** A selection as options of the command line give it. */
export interface SelectionOptions {
  /** Words, as in a filter. */
  readonly only?: readonly string[];
  /** A regular expression. */
  readonly grep?: string;
  /** Times such as `1.5`, `1.5s` or `20ms`. */
  readonly from?: string;
  readonly to?: string;
}

type Test = (event: EventFacts) => boolean;

export class Selection {
  /** The patterns that a text must match, all of them. */
  readonly patterns: readonly RegExp[];
  readonly #tests: readonly Test[];

  constructor(tests: readonly Test[], patterns: readonly RegExp[]) {
    this.#tests = tests;
    this.patterns = patterns;
  }

  /** Whether `passes` depends on the event at all. */
  get selectsEvents(): boolean {
    return this.#tests.length > 0;
  }

  /** Whether `matches` depends on the text at all. */
  get selectsText(): boolean {
    return this.patterns.length > 0;
  }

  passes(event: EventFacts): boolean {
    return this.#tests.every((test) => test(event));
  }

  /** Whether every pattern matches the text; those in `found` have matched already. */
  matches(text: string, found?: ReadonlySet<RegExp>): boolean {
    return this.patterns.every((pattern) => found?.has(pattern) === true || pattern.test(text));
  }
}

/** Reads a filter: words with spaces between them. Throws a {@link UsageError}. */
export function parseSelection(filter: string, containers: readonly string[]): Selection {
  return selectionOf(wordsOf(filter), containers);
}

/** Reads options. Throws a {@link UsageError} that names the option. */
export function selectionFrom(options: SelectionOptions, containers: readonly string[]): Selection {
  const { only = [], grep, from, to } = options;
  const words = only.flatMap(wordsOf);
  const tests = words.filter((word) => !isPattern(word)).map((word) => testFor(word, containers));
  const patterns = words.filter(isPattern).map(patternOf);
  if (grep !== undefined) patterns.push(compile(grep, "--grep"));
  if (from !== undefined) tests.push(startsAt(parseTimeNs(from, "--from")));
  if (to !== undefined) tests.push(endsAt(parseTimeNs(to, "--to")));
  return new Selection(tests, patterns);
}

function selectionOf(words: readonly string[], containers: readonly string[]): Selection {
  return selectionFrom({ only: words }, containers);
}

/** A pattern may contain spaces. */
function wordsOf(text: string): string[] {
  return text.match(/\/(?:[^/\\]|\\.)+\/i?(?=\s|$)|\S+/g) ?? [];
}

function isPattern(word: string): boolean {
  return /^\/.+\/i?$/s.test(word);
}

function patternOf(word: string): RegExp {
  const end = word.lastIndexOf("/");
  return compile(word.slice(1, end), "the pattern", word.slice(end + 1));
}

function compile(source: string, what: string, flags = ""): RegExp {
  try {
    return new RegExp(source, `u${flags}`);
  } catch (error) {
    const why = (error as Error).message.replace(/^.*: /, "");
    throw new UsageError(`${what} '${source}' is not a regular expression: ${why}`);
  }
}

function testFor(word: string, containers: readonly string[]): Test {
  const [, sign, digits] = /^([#:])(\d{1,9})$/.exec(word) ?? [];
  const number = Number(digits);
  if (sign === "#") return ({ connection }) => connection === number;
  if (sign === ":") return (event) => hasPort(event, number);
  const [, bound, time] = /^(from|to)=(.*)$/.exec(word) ?? [];
  if (time !== undefined) {
    const ns = parseTimeNs(time, `${bound}=`);
    return bound === "from" ? startsAt(ns) : endsAt(ns);
  }
  return nameTest(word, containers);
}

/** The beginning of a container's name or of a kind's word. */
function nameTest(word: string, containers: readonly string[]): Test {
  const start = word.toLowerCase();
  const kinds = new Set(
    Object.entries(kindWords).flatMap(([kind, name]) =>
      name.startsWith(start) ? [Number(kind)] : [],
    ),
  );
  const chosen = new Set(
    containers.flatMap((name, container) =>
      name.toLowerCase().startsWith(start) ? [container] : [],
    ),
  );
  if (kinds.size === 0 && chosen.size === 0)
    throw new UsageError(
      `'${word}' is no container (${containers.join(", ")}), kind of event ` +
        `(${Object.values(kindWords).join(", ")}), #connection or :port`,
    );
  return ({ kind, sender, receiver }) =>
    kinds.has(kind) || chosen.has(sender) || chosen.has(receiver);
}

function hasPort({ connection, clientPort, serverPort }: EventFacts, port: number): boolean {
  return connection > 0 && (clientPort === port || serverPort === port);
}

const startsAt =
  (ns: number): Test =>
  ({ atNs }) =>
    atNs >= ns;

const endsAt =
  (ns: number): Test =>
  ({ atNs }) =>
    atNs <= ns;

const unitsNs: Readonly<Record<string, number>> = {
  us: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A time since the start of the run; a bare number is in seconds, as `plg show` prints times. */
function parseTimeNs(text: string, option: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)?$/.exec(text.trim()) ?? [];
  if (digits === undefined)
    throw new UsageError(`${option} '${text}' is not a time: write it like 1.5s, 20ms or 0.001234`);
  return Math.round(Number(digits) * (unitsNs[unit] as number));
}
