/** The statements and portals of a PostgreSQL session, and its answers, as text. */
import { plural } from "../base/text.ts";
import type { Fields } from "./fields.ts";
import { type Start, textOf } from "./input.ts";
import { inOneLine } from "./message.ts";

interface Prepared {
  readonly start: Start;
  readonly sql: string;
}

/** A statement with values, ready to execute. */
interface Portal {
  readonly start: Start | undefined;
  readonly text: string;
}

/** The most names remembered; the latest ones stay. */
const mostNames = 1000;
const mostSqlLength = 1000;
const mostValues = 20;
const mostValueLength = 40;
/** The length of a value that is NULL: -1 in 32 bits. */
const nullLength = 0xffff_ffff;

export class Statements {
  readonly #statements = new Map<string, Prepared>();
  readonly #portals = new Map<string, Portal>();
  /** A statement that was parsed and has not been bound since. */
  #unused: Prepared | undefined;

  /** Parse: the statement's name, its SQL. */
  parse(start: Start, fields: Fields): void {
    const name = fields.text();
    const statement = { start, sql: inOneLine(fields.text(), mostSqlLength) };
    remember(this.#statements, name, statement);
    this.#unused = statement;
  }

  /** Bind: the portal's name, the statement's, the formats of the values, the values. */
  bind(start: Start, fields: Fields): void {
    const [portal, name] = [fields.text(), fields.text()];
    const statement = this.#statements.get(name);
    const isNew = statement !== undefined && statement === this.#unused;
    this.#unused = undefined;
    const values = readValues(fields);
    const sql = statement?.sql ?? `statement ${name}`;
    const text = values.length === 0 ? sql : `${sql} [${values.join(", ")}]`;
    remember(this.#portals, portal, { start: isNew ? statement.start : start, text });
  }

  /** Execute: the portal's name. */
  execute(name: string): Portal {
    return this.#portals.get(name) ?? { start: undefined, text: `execute ${name}`.trim() };
  }

  /** Returns and clears the statement that was parsed but not bound in its group. */
  takeUnused(): Prepared | undefined {
    const unused = this.#unused;
    this.#unused = undefined;
    return unused;
  }
}

function remember<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name);
  map.set(name, value);
  if (map.size > mostNames) map.delete(map.keys().next().value ?? "");
}

/** Reads the values in text format. Values beyond the kept bytes are left out. */
function readValues(fields: Fields): string[] {
  const formats = Array.from({ length: countIn(fields, 2) }, () => fields.number(2));
  const values: string[] = [];
  const count = fields.leftBytes < 2 ? 0 : fields.number(2);
  for (let i = 0; i < count; i++) {
    const lengthBytes = i === mostValues || fields.leftBytes < 4 ? undefined : fields.number(4);
    const isNull = lengthBytes === nullLength;
    if (lengthBytes === undefined || (!isNull && lengthBytes > fields.leftBytes))
      return [...values, "…"];
    values.push(isNull ? "NULL" : describeValue(fields.bytes(lengthBytes), formatOf(formats, i)));
  }
  return values;
}

/** Reads the count of an array, all elements of which must be there. */
function countIn(fields: Fields, eachBytes: number): number {
  const count = fields.leftBytes < 2 ? 0 : fields.number(2);
  return count * eachBytes > fields.leftBytes ? 0 : count;
}

/** No format: all values are text. One format: it applies to all values. */
function formatOf(formats: readonly number[], value: number): number {
  return (formats.length === 1 ? formats[0] : formats[value]) ?? 0;
}

function describeValue(bytes: Uint8Array, format: number): string {
  return format === 0 ? inOneLine(textOf(bytes), mostValueLength) : `0x${hex(bytes)}`;
}

function hex(bytes: Uint8Array): string {
  const shown = bytes.subarray(0, mostValueLength / 2);
  return Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Turns `SELECT 3` into `3 rows`; other tags are unchanged. */
export function describeTag(tag: string): string {
  const [, rows] = /^SELECT (\d+)$/.exec(tag) ?? [];
  return rows === undefined ? tag : plural(Number(rows), "row");
}

/** An error or a notice: its code and its message. */
export function describeProblem(fields: Fields): string {
  const facts = new Map<string, string>();
  while (fields.leftBytes > 1) facts.set(String.fromCharCode(fields.number(1)), fields.text());
  const code = facts.get("C") ?? "";
  const severity = facts.get("V") ?? facts.get("S") ?? "";
  const isError = /^(ERROR|FATAL|PANIC)$/.test(severity);
  return `${isError ? code : severity.toLowerCase()}: ${facts.get("M") ?? ""}`;
}
