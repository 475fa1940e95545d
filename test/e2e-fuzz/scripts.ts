/** What one connection, or one flow of datagrams, is to do: its steps in their order. */
import type { Chance } from "./chance.ts";
import type { Moods } from "./moods.ts";
import { freesPort, mostUnreadBytes, unlimitedBytes } from "./rules.ts";
import {
  type Connection,
  type Ending,
  type Flow,
  type Listener,
  opposite,
  type Side,
  type Step,
} from "./scenario.ts";

type OnConnection = Extract<Step, { readonly connection: number }>;

/** So much a scenario may take of time and memory, all its steps together. */
export interface Budget {
  bytes: number;
  waitMs: number;
}

const sides: readonly Side[] = ["client", "server"];
const maxSteps = 6;
/** A slow reader's pieces, and what it is sent. */
const slowPieceBytes = 20_000;

/** Writes the script of one connection. The `connect` is not part of it. */
export class ConnectionScript {
  readonly #chance: Chance;
  readonly #moods: Moods;
  readonly #budget: Budget;
  readonly #connection: Connection;
  readonly #steps: OnConnection[] = [];
  readonly #ended: Record<Side, boolean> = { client: false, server: false };
  readonly #unreadBytes: Record<Side, number> = { client: 0, server: 0 };

  constructor(chance: Chance, moods: Moods, budget: Budget, connection: Connection) {
    this.#chance = chance;
    this.#moods = moods;
    this.#budget = budget;
    this.#connection = connection;
  }

  /**
   * `mustFreePort`: another connection will come from the same port. `mayLeave`: the sides whose
   * process may exit first.
   */
  write(
    listener: Listener,
    mustFreePort: boolean,
    mayLeave: readonly Side[],
  ): readonly OnConnection[] {
    this.#open(listener);
    const count = this.#chance.weighted([
      [this.#moods.idle, 0],
      [4, this.#chance.between(1, maxSteps)],
    ]);
    for (let i = 0; i < count; i++) this.#talk();
    this.#end(mustFreePort, mayLeave);
    return this.#steps;
  }

  #add(step: OnConnection): void {
    this.#steps.push(step);
  }

  get #on(): { readonly connection: number } {
    return { connection: this.#connection.id };
  }

  #open({ identify }: Listener): void {
    if (identify === "hello" || identify === "login") this.#add({ do: "hello", ...this.#on });
    if (identify !== "order") return;
    if (this.#chance.percent(5 * this.#moods.unread)) this.#write("client");
    this.#add({ do: "accept", ...this.#on });
  }

  #talk(): void {
    const able = sides.filter((side) => !this.#ended[side]);
    if (able.length === 0) return;
    const from = this.#chance.oneOf(able);
    const both = able.length === 2;
    const m = this.#moods;
    const kind = this.#chance.weighted<() => void>([
      [m.small, () => this.#transfer(from, this.#chance.magnitude(1, 3000))],
      [m.large, () => this.#transfer(from, this.#chance.magnitude(3000, 400_000))],
      [m.flood, () => this.#transfer(from, this.#chance.magnitude(400_000, 5_000_000))],
      [m.slowReader, () => this.#slowReader(from)],
      [m.smallWrites, () => this.#smallWrites(from)],
      [both ? m.rounds : 0, () => this.#rounds(from)],
      [both ? m.duplex : 0, () => this.#duplex()],
      [m.unread, () => this.#write(from)],
      [m.halfClose, () => this.#halfClose(from)],
    ]);
    kind();
  }

  #spend(bytes: number): number {
    const granted = Math.max(1, Math.min(bytes, this.#budget.bytes));
    this.#budget.bytes -= granted;
    return granted;
  }

  #wait(ms: number): boolean {
    if (this.#budget.waitMs < ms) return false;
    this.#budget.waitMs -= ms;
    return true;
  }

  #transfer(from: Side, wanted: number): void {
    this.#unreadBytes[from] = 0;
    this.#add({ do: "transfer", ...this.#on, from, bytes: this.#spend(wanted) });
  }

  #slowReader(from: Side): void {
    const bytes = this.#spend(this.#chance.magnitude(50_000, 4_000_000));
    const gapMs = this.#chance.between(1, 3);
    const pieces = Math.ceil(bytes / slowPieceBytes);
    if (!this.#wait(pieces * gapMs)) return this.#transfer(from, bytes);
    this.#unreadBytes[from] = 0;
    this.#add({
      do: "transfer",
      ...this.#on,
      from,
      bytes,
      read: { pieceBytes: slowPieceBytes, gapMs },
    });
  }

  #smallWrites(from: Side): void {
    const count = this.#chance.magnitude(5, 200);
    const pieceBytes = this.#chance.magnitude(1, 100);
    const gapMs = this.#wait(count) && this.#chance.percent(50) ? 1 : 0;
    this.#unreadBytes[from] = 0;
    const write = { pieceBytes, gapMs };
    this.#add({ do: "transfer", ...this.#on, from, bytes: this.#spend(count * pieceBytes), write });
  }

  #rounds(from: Side): void {
    for (const side of sides) this.#unreadBytes[side] = 0;
    const count = this.#chance.magnitude(2, 60);
    this.#add({ do: "rounds", ...this.#on, from, count, bytes: this.#chance.magnitude(1, 2000) });
  }

  #duplex(): void {
    for (const side of sides) this.#unreadBytes[side] = 0;
    const [clientBytes = 1, serverBytes = 1] = sides.map(() =>
      this.#spend(this.#chance.magnitude(100, 1_000_000)),
    );
    this.#add({ do: "duplex", ...this.#on, clientBytes, serverBytes });
  }

  #write(from: Side): void {
    const bytes = this.#chance.magnitude(1, 1000);
    if (this.#unreadBytes[from] + bytes > mostUnreadBytes) return;
    this.#unreadBytes[from] += bytes;
    this.#add({ do: "write", ...this.#on, from, bytes });
  }

  #halfClose(from: Side): void {
    this.#ended[from] = true;
    this.#add({ do: "halfClose", ...this.#on, from });
  }

  #end(mustFreePort: boolean, mayLeave: readonly Side[]): void {
    for (;;) {
      const by = this.#chance.oneOf(sides);
      const ending = this.#ending(by, mayLeave);
      if (mustFreePort && !freesPort(by, ending)) continue;
      const needsOther = ending.how === "reset" || ending.how === "cancel";
      const needsBoth = ending.how === "reset" && this.#ended[by];
      if (needsBoth || (needsOther && this.#ended[opposite(by)])) return this.#close(mustFreePort);
      this.#add({ do: "end", ...this.#on, by, ending });
      return undefined;
    }
  }

  /** The plainest end, which is always possible. */
  #close(mustFreePort: boolean): void {
    const by = mustFreePort ? "server" : this.#chance.oneOf(sides);
    this.#add({ do: "end", ...this.#on, by, ending: { how: "close" } });
  }

  #ending(by: Side, mayLeave: readonly Side[]): Ending {
    const m = this.#moods;
    const canSpeakLast = this.#connection.noDelay && !this.#ended[by];
    const lastBytes = canSpeakLast ? this.#chance.magnitude(1, 1400) : 0;
    // Some end must remain that frees the port.
    return this.#chance.weighted<Ending>([
      [m.close + 0.1, { how: "close" }],
      [m.together, { how: "together" }],
      [m.reset, { how: "reset", lastBytes: 0 }],
      [m.lastWords, { how: "reset", lastBytes }],
      [m.cancel, this.#cancel()],
      [mayLeave.includes(by) ? m.leave : 0, { how: "leave" }],
    ]);
  }

  #cancel(): Ending {
    const limitBytes = this.#chance.percent(50)
      ? unlimitedBytes
      : this.#chance.magnitude(1000, 4_000_000);
    return {
      how: "cancel",
      readBytes: this.#chance.magnitude(1, Math.min(limitBytes, 200_000)),
      limitBytes,
      isReset: this.#chance.percent(30),
    };
  }
}

/**
 * The script of a flow: bursts, questions and answers. All that a socket holds is read before more
 * is sent.
 */
export function flowScript(chance: Chance, flow: Flow, budget: Budget, mostBytes: number): Step[] {
  return Array.from({ length: chance.between(1, 8) }, () => {
    const bytes = chance.percent(15) ? chance.magnitude(100, mostBytes) : chance.magnitude(1, 1400);
    const isBurst = chance.percent(25);
    const count = isBurst ? chance.magnitude(5, 60) : 1;
    const gapMs = isBurst && chance.percent(50) && budget.waitMs > count ? 1 : 0;
    budget.waitMs -= gapMs * count;
    return {
      do: "datagrams" as const,
      flow: flow.id,
      from: chance.oneOf(sides),
      count: bytes > 1400 ? 1 : count,
      bytes,
      gapMs,
    };
  });
}
