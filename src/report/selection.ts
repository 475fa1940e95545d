/**
 * Selects part of a recording. `show`, `export` and the viewer's filter share this language.
 *
 * A selection is a list of words, and an event passes if every word matches it. `client` is a
 * container at either end, `reset` a kind of event (a prefix of either suffices), `#3` a
 * connection, `:6379` a port at either end. `from=1.5s` and `to=2s` bound the time since the start
 * of the run, and `/regex/` must match the text. The command line has options for
 * the last three, too.
 */
import { type ConnectionNumber, type ContainerIndex, noConnection } from "../base/ids.ts";
import { UsageError } from "../base/errors.ts";
import type { RecordKind } from "../dump/format/schema.ts";
import { kindWords } from "./events.ts";

/** The facts that select an event. */
export interface EventFacts {
  readonly kind: RecordKind;
  /** `noConnection` for a packet, which has no ports either. */
  readonly connection: ConnectionNumber;
  readonly clientPort: number;
  readonly serverPort: number;
  /** Containers; the receiver of a packet may be `everyone`. */
  readonly sender: ContainerIndex;
  readonly receiver: ContainerIndex;
  /** In nanoseconds since the start of the run. */
  readonly atNs: number;
}

/** A selection in parts. */
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
  /** The patterns, all of which a text must match. */
  readonly patterns: readonly RegExp[];
  readonly #tests: readonly Test[];

  constructor(tests: readonly Test[], patterns: readonly RegExp[]) {
    this.#tests = tests;
    this.patterns = patterns;
  }

  /** Whether `passes` depends on the event. */
  get selectsEvents(): boolean {
    return this.#tests.length > 0;
  }

  /** Whether `matches` depends on the text. */
  get selectsText(): boolean {
    return this.patterns.length > 0;
  }

  passes(event: EventFacts): boolean {
    return this.#tests.every((test) => test(event));
  }

  /** Whether every pattern matches the text. Patterns in `found` have matched already. */
  matches(text: string, found?: ReadonlySet<RegExp>): boolean {
    return this.patterns.every((pattern) => found?.has(pattern) === true || pattern.test(text));
  }
}

/** Parses a filter: words separated by spaces. Throws a {@link UsageError}. */
export function parseSelection(filter: string, containers: readonly string[]): Selection {
  return selectionOf(wordsOf(filter), containers);
}

/** Parses options. Throws a {@link UsageError} that names the argument. */
export function selectionFrom(options: SelectionOptions, containers: readonly string[]): Selection {
  const { only = [], grep, from, to } = options;
  const words = only.flatMap(wordsOf);
  const tests = words.filter((word) => !isPattern(word)).map((word) => testFor(word, containers));
  const patterns = words.filter(isPattern).map(patternOf);
  if (grep !== undefined) patterns.push(compile(grep, { argument: "grep" }));
  if (from !== undefined) tests.push(startsAt(parseTimeNs(from, { argument: "from" })));
  if (to !== undefined) tests.push(endsAt(parseTimeNs(to, { argument: "to" })));
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
  return compile(word.slice(1, end), { before: "the pattern " }, word.slice(end + 1));
}

/** Names a faulty text in a message: as an argument of its own, or by the words before it. */
interface Naming {
  readonly argument?: string;
  readonly before?: string;
}

function compile(source: string, { argument, before = "" }: Naming, flags = ""): RegExp {
  try {
    return new RegExp(source, `u${flags}`);
  } catch (error) {
    const why = (error as Error).message.replace(/^.*: /, "");
    throw new UsageError(`${before}'${source}' is not a regular expression: ${why}`, { argument });
  }
}

function testFor(word: string, containers: readonly string[]): Test {
  const [, sign, digits] = /^([#:])(\d{1,9})$/.exec(word) ?? [];
  const number = Number(digits);
  if (sign === "#") return ({ connection }) => connection === number;
  if (sign === ":") return (event) => hasPort(event, number);
  const [, bound, time] = /^(from|to)=(.*)$/.exec(word) ?? [];
  if (time !== undefined) {
    const ns = parseTimeNs(time, { before: `${bound}= ` });
    return bound === "from" ? startsAt(ns) : endsAt(ns);
  }
  return nameTest(word, containers);
}

/** Matches a prefix of a container's name or of a kind's word. */
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
  return connection !== noConnection && (clientPort === port || serverPort === port);
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

/**
 * Parses a time since the start of the run. A bare number is in seconds, as `plg show` prints
 * times.
 */
function parseTimeNs(text: string, { argument, before = "" }: Naming): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h)?$/.exec(text.trim()) ?? [];
  if (digits === undefined)
    throw new UsageError(`${before}'${text}' is not a time: write it like 1.5s, 20ms or 0.001234`, {
      argument,
    });
  return Math.round(Number(digits) * (unitsNs[unit] as number));
}
