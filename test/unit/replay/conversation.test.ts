import { expect, test } from "vitest";
import { endOf } from "../../../src/base/ids.ts";
import { Direction } from "../../../src/base/direction.ts";
import { exchangeAt } from "../../../src/recording/exchange.ts";
import { Conversation, type Turn } from "../../../src/replay/match/conversation.ts";
import { Exchanges } from "../../../src/replay/match/exchanges.ts";
import type { Mask } from "../../../src/replay/compare/masks.ts";
import { Progress } from "../../../src/replay/progress/progress.ts";
import { record } from "./recording.ts";

/** What live connections ask, and which recorded exchange it is taken for. */
class Pool {
  readonly exchanges: Exchanges;
  readonly progress: Progress;
  /** Connections from this event on are still to come, unless they are open. */
  reachedTo = Infinity;
  readonly #index;
  readonly #heard = new Map<Conversation, { position: number; hasDiffered: boolean }>();

  constructor(text: string, masks: readonly Mask[] = [], shortestQuestionBytes = 1) {
    const { index, read } = record(text);
    this.#index = index;
    this.progress = new Progress(index);
    this.exchanges = new Exchanges({
      index,
      progress: this.progress,
      read,
      masks,
      hasReached: (event) => event < this.reachedTo,
      shortestQuestionBytes,
    });
  }

  open(connection: number): Conversation {
    const { exchanges, progress } = this;
    const matching = { alternatives: () => [], rematch: () => {} };
    const parts = { index: this.#index, progress, exchanges, matching, isPast: () => false };
    const conversation = new Conversation(parts, connection);
    this.#heard.set(conversation, { position: 0, hasDiffered: false });
    return conversation;
  }

  /** Says what the bytes are taken for, as `connection@offset`. */
  ask(conversation: Conversation, text: string, isQuiet = false): string {
    const bytes = Buffer.from(text);
    const heard = this.#heardOn(conversation);
    return this.#follow(
      conversation,
      isQuiet ? conversation.retry(heard, true) : conversation.take(bytes, heard),
    );
  }

  end(conversation: Conversation, how: "end" | "reset" = "end"): string {
    return this.#follow(conversation, conversation.end(how, this.#heardOn(conversation)));
  }

  /** All of the answer to the last question is delivered. */
  answer(conversation: Conversation): void {
    const { connection } = conversation;
    const { connections } = this.#index;
    let exchange = exchangeAt(this.#index, connection, connections.from(connection));
    const { position } = this.#heardOn(conversation);
    while (exchange && exchange.questionTo < position)
      exchange = exchangeAt(this.#index, connection, exchange.to);
    const end = endOf(connection, Direction.toServer);
    this.progress.noteReceived(end, exchange?.answerTo ?? 0);
  }

  #heardOn(conversation: Conversation): { position: number; hasDiffered: boolean } {
    return this.#heard.get(conversation) ?? { position: 0, hasDiffered: false };
  }

  #follow(conversation: Conversation, first: Turn): string {
    const heard = this.#heardOn(conversation);
    let taken = "";
    for (let turn = first; turn.type !== "wait"; turn = conversation.take(turn.rest, heard)) {
      if (turn.type === "begin") heard.position = turn.from;
      taken += `${conversation.connection}@${heard.position} `;
      heard.position += turn.bytes.length;
      if (turn.rest.length === 0) return taken.trim();
    }
    return `${taken}wait`.trim();
  }
}

const twoConnections = `
  0 1 connect client server:80
  0 1 accept
  0 2 connect client server:80
  0 2 accept
  1 1 client "login"
  2 1 server "ok"
  3 2 client "login"
  4 2 server "ok"
  5 1 client "question one"
  6 1 server "1"
  7 2 client "question two"
  8 2 server "2"
  9 1 client "question three"
  10 1 server "3"
  11 1 client end
  11 2 client end
`;

function loggedIn(): { pool: Pool; a: Conversation; b: Conversation } {
  const pool = new Pool(twoConnections);
  const [a, b] = [pool.open(1), pool.open(2)];
  for (const one of [a, b]) {
    pool.ask(one, "login");
    pool.answer(one);
  }
  return { pool, a, b };
}

test("what goes on as recorded stays where it is", () => {
  const { pool, a } = loggedIn();
  expect(pool.ask(a, "question one")).toBe("1@5");
  pool.answer(a);
  expect(pool.ask(a, "question")).toBe("1@17");
  expect(pool.ask(a, " three")).toBe("1@25");
  pool.answer(a);
  expect(pool.end(a)).toBe("1@31");
});

test("a question of another connection is played here, and the rest goes on", () => {
  const { pool, a, b } = loggedIn();
  expect(pool.ask(a, "question two")).toBe("3@5");
  pool.answer(a);
  expect(pool.ask(b, "question one")).toBe("4@5");
  pool.answer(b);
  // It is what follows "question one" where that was recorded.
  expect(pool.ask(b, "question three")).toBe("5@17");
});

test("what was skipped is still to be had, and each exchange once", () => {
  const { pool, a, b } = loggedIn();
  expect(pool.ask(a, "question three")).toBe("3@17");
  pool.answer(a);
  expect(pool.ask(a, "question one")).toBe("1@5");
  pool.answer(a);
  expect(pool.ask(b, "question one")).toBe("2@5");
});

test("while the first bytes are ambiguous, more is awaited", () => {
  const { pool, a, b } = loggedIn();
  expect(pool.ask(b, "question t")).toBe("2@5");
  expect(pool.ask(b, "h")).toBe("3@17");
  expect(pool.ask(b, "ree")).toBe("3@28");
  expect(pool.ask(a, "question ")).toBe("1@5");
  expect(pool.ask(a, "two")).toBe("4@5");
});

test("several fit: it waits for more, and the earliest wins when none comes", () => {
  const text = `
    0 1 connect client server:80
    0 2 connect client server:80
    1 1 server "hello"
    1 2 server "hello"
    2 1 client "x"
    3 1 server "X"
    4 2 client "ab"
    5 2 server "AB"
    6 2 client "ac"
    7 2 server "AC"
  `;
  const pool = new Pool(text);
  const a = pool.open(1);
  pool.answer(a);
  expect(pool.ask(a, "a")).toBe("wait");
  expect(pool.ask(a, "c")).toBe("3@2");
  const again = new Pool(text);
  const b = again.open(1);
  again.answer(b);
  expect(again.ask(b, "a")).toBe("wait");
  expect(again.ask(b, "", true)).toBe("3@0");
});

test("before the answer has come, what is asked is the connection's own", () => {
  const { pool, a } = loggedIn();
  expect(pool.ask(a, "question one")).toBe("1@5");
  expect(pool.ask(a, "question two")).toBe("1@17");
});

test("a client that asks several questions ahead is compared with each of them", () => {
  const pool = new Pool(`
    0 1 connect client server:80
    1 1 client "a"
    2 1 server "A"
    3 1 client "b"
    4 1 server "B"
    5 1 client "cd"
    6 1 server "C"
  `);
  const a = pool.open(1);
  expect(pool.ask(a, "a")).toBe("1@0");
  expect(pool.ask(a, "bc")).toBe("1@1 1@2");
  pool.answer(a);
  expect(pool.ask(a, "d")).toBe("1@3");
});

test("a question that nobody asked in the recording is the next one, asked otherwise", () => {
  const { pool, a } = loggedIn();
  expect(pool.ask(a, "something else")).toBe("1@5 1@17");
});

test("an end is taken from the pool, too", () => {
  const { pool, a, b } = loggedIn();
  expect(pool.end(a)).toBe("3@31");
  expect(pool.end(b)).toBe("4@17");
});

test("a client that breaks off the answer of a moved exchange ends it as recorded", () => {
  const pool = new Pool(`
    0 1 connect client server:80
    0 2 connect client server:80
    1 1 server "hello"
    1 2 server "hello"
    2 1 client "question"
    3 1 server "answer"
    4 2 client "download"
    5 2 server "a long file"
    6 2 client reset
  `);
  const a = pool.open(1);
  pool.answer(a);
  expect(pool.ask(a, "download")).toBe("3@0");
  expect(pool.end(a, "reset")).toBe("4@8");
  expect(a.isEnding("reset")).toBe(true);
});

test("a client that the recorded server broke off ends by itself, and takes no other's end", () => {
  const pool = new Pool(`
    0 1 connect client server:80
    0 2 connect client server:80
    1 1 client "a"
    2 2 client "b"
    3 1 server reset
    4 2 server "B"
    5 2 client end
  `);
  const a = pool.open(1);
  expect(pool.ask(a, "a")).toBe("1@0");
  expect(pool.end(a)).toBe("1@1");
  expect(a.connection).toBe(1);
});

test("masks apply to questions", () => {
  const masks = [{ pattern: /at \d+/ }];
  const pool = new Pool(
    `
      0 1 connect client server:80
      0 2 connect client server:80
      1 1 server "hello"
      1 2 server "hello"
      2 1 client "a at 17"
      3 1 server "A"
      4 2 client "b at 18"
      5 2 server "B"
    `,
    masks,
  );
  const [a, b] = [pool.open(1), pool.open(2)];
  pool.answer(a);
  pool.answer(b);
  expect(pool.ask(a, "b at 20")).toBe("3@0");
  expect(pool.ask(b, "a at 21")).toBe("4@0");
});

test("pools of other ports are no pools of this one", () => {
  const pool = new Pool(`
    0 1 connect client server:80
    0 2 connect client server:81
    1 1 server "hello"
    1 2 server "hello"
    2 1 client "a"
    3 2 client "b"
  `);
  const a = pool.open(1);
  pool.answer(a);
  expect(pool.ask(a, "b")).toBe("1@0");
});

test("an exchange of a connection that is still to come is not taken from it", () => {
  const pool = new Pool(twoConnections);
  pool.reachedTo = 1;
  const a = pool.open(1);
  pool.ask(a, "login");
  pool.answer(a);
  expect(pool.ask(a, "question two")).toBe("1@5");
});

test("who ends in an exchange of another connection leaves its own to the others", () => {
  const pool = new Pool(`
    0 1 connect client server:80
    0 2 connect client server:80
    1 1 server "hello"
    1 2 server "hello"
    2 1 client "question"
    3 1 server "answer"
    4 1 client "bye"
    4 1 client end
    5 2 client "bye"
    5 2 client end
  `);
  const a = pool.open(1);
  pool.answer(a);
  expect(pool.ask(a, "bye")).toBe("3@8");
  expect(a.isEnding("end")).toBe(true);
  expect(pool.end(a)).toBe("3@11");
});

test("a question of less than four bytes identifies no exchange", () => {
  const text = `
    0 1 connect client server:80
    0 2 connect client server:80
    1 1 server "hello"
    1 2 server "hello"
    2 1 client "x"
    3 1 server "X"
    4 2 client "."
    5 2 server "!"
  `;
  const asks = (shortestQuestionBytes: number): string => {
    const pool = new Pool(text, [], shortestQuestionBytes);
    const a = pool.open(1);
    pool.answer(a);
    return pool.ask(a, ".");
  };
  expect(asks(1)).toBe("3@0");
  expect(asks(4)).toMatch(/^1@/);
});
