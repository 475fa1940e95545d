/**
 * Puts the scripts of all connections into one order: what is open at the same time, and what comes
 * first.
 */
import type { Chance } from "./chance.ts";
import type { Moods } from "./moods.ts";
import type { Connection, Listener, Place, Step } from "./scenario.ts";

/** What is to be put in order. `scripts` belong to `connections`, one each. */
interface Parts {
  readonly listeners: readonly Listener[];
  readonly connections: readonly Connection[];
  readonly scripts: readonly (readonly Step[])[];
  /** Scripts without a connection. */
  readonly extras: readonly (readonly Step[])[];
}

/** So many are open at once, at most. */
const mostOpen = 40;

export function interleave(chance: Chance, moods: Moods, parts: Parts): Step[] {
  return new Interleaving(chance, moods, parts).run();
}

/** A script that is under way. */
interface Running {
  readonly connection: Connection | undefined;
  readonly left: Step[];
}

class Interleaving {
  readonly #chance: Chance;
  readonly #moods: Moods;
  readonly #listeners: readonly Listener[];
  readonly #scripts: ReadonlyMap<number, readonly Step[]>;
  readonly #waiting: Connection[];
  readonly #extras: (readonly Step[])[];
  readonly #running: Running[] = [];
  readonly #steps: Step[] = [];
  readonly #last: Step[] = [];
  /** Connections that are not accepted yet, by listener. */
  readonly #queues = new Map<number, Connection[]>();
  readonly #openLimit: number;
  #current: Running | undefined;

  constructor(chance: Chance, moods: Moods, { listeners, connections, scripts, extras }: Parts) {
    this.#chance = chance;
    this.#moods = moods;
    this.#listeners = listeners;
    this.#scripts = new Map(connections.map(({ id }, i) => [id, scripts[i] ?? []]));
    this.#waiting = [...connections];
    this.#extras = [...extras];
    this.#openLimit = chance.magnitude(1, mostOpen);
  }

  run(): Step[] {
    while (this.#waiting.length + this.#extras.length + this.#running.length > 0) this.#advance();
    return [...this.#steps, ...this.#last];
  }

  /** Starts a script or continues one. */
  #advance(): void {
    const startable = this.#startable();
    const mayStart = this.#running.length < this.#openLimit && startable.length > 0;
    const able = this.#running.filter((one) => this.#canContinue(one));
    if (mayStart && (able.length === 0 || this.#chance.percent(30)))
      return this.#start(this.#chance.oneOf(startable));
    const extra = this.#extras.length > 0 && (able.length === 0 || this.#chance.percent(20));
    if (extra) return this.#startExtra();
    // With the limit reached all that is running may wait for what is not: then it is no limit.
    if (able.length === 0) return this.#start(this.#chance.oneOf(startable));
    const current = this.#current;
    const isContinued = current && able.includes(current) && this.#chance.percent(50);
    return this.#continue(isContinued ? current : this.#chance.oneOf(able));
  }

  #startExtra(): void {
    const index = this.#chance.between(0, this.#extras.length - 1);
    const [script = []] = this.#extras.splice(index, 1);
    if (script.length > 0) this.#running.push({ connection: undefined, left: [...script] });
  }

  /**
   * Connections that can be opened now: nobody uses their port, and there is room in the backlog.
   */
  #startable(): Connection[] {
    return this.#waiting.filter((connection, index) => {
      const isFree = ![
        ...this.#running.flatMap((one) => one.connection ?? []),
        ...this.#waiting.slice(0, index),
      ].some((other) => usesSamePort(connection, other));
      return isFree && this.#room(connection.listener) > 0;
    });
  }

  #room(listener: number): number {
    const { identify, backlog } = this.#listeners[listener] as Listener;
    return identify === "order" ? backlog - this.#queue(listener).length : Number.POSITIVE_INFINITY;
  }

  #queue(listener: number): Connection[] {
    const queue = this.#queues.get(listener) ?? [];
    this.#queues.set(listener, queue);
    return queue;
  }

  #start(first: Connection): void {
    const batch = this.#batchWith(first);
    this.#steps.push({ do: "connect", connections: batch.map(({ id }) => id) });
    for (const connection of batch) {
      this.#waiting.splice(this.#waiting.indexOf(connection), 1);
      this.#running.push({ connection, left: [...(this.#scripts.get(connection.id) ?? [])] });
      if (this.#listeners[connection.listener]?.identify === "order")
        this.#queue(connection.listener).push(connection);
    }
    this.#acceptOverflow(batch);
    for (const connection of batch)
      if (!this.#chance.percent(this.#moods.silent)) this.#greet(connection);
  }

  /** The hello follows at once. Without it nobody knows which connection this is. */
  #greet(connection: Connection): void {
    const running = this.#running.find((one) => one.connection === connection);
    if (running?.left[0]?.do === "hello") this.#continue(running);
  }

  /** Others that the same thread opens, in one step. */
  #batchWith(first: Connection): Connection[] {
    if (first.localPort !== undefined || !this.#chance.percent(this.#moods.batch)) return [first];
    const others = this.#waiting.filter(
      (one) => one !== first && one.localPort === undefined && isSame(one.client, first.client),
    );
    return [first, ...others.slice(0, this.#chance.magnitude(1, 12))];
  }

  /** More than the backlog has come at once: they are accepted before anything else happens. */
  #acceptOverflow(batch: readonly Connection[]): void {
    for (const { listener } of batch)
      if (this.#room(listener) < 0)
        while (this.#queue(listener).length > 0) this.#acceptNext(listener);
  }

  #acceptNext(listener: number): void {
    const [first] = this.#queue(listener);
    const running = this.#running.find((one) => one.connection === first);
    if (!running) throw new Error("a connection waits that is not under way");
    this.#continue(running);
  }

  /** Connections are accepted in the order in which they were opened. */
  #canContinue({ connection, left }: Running): boolean {
    if (left[0]?.do !== "accept" || !connection) return true;
    return this.#queue(connection.listener)[0] === connection;
  }

  #continue(running: Running): void {
    this.#current = running;
    const step = running.left.shift();
    if (step?.do === "accept") this.#queue(running.connection?.listener ?? -1).shift();
    if (step?.do === "end" && step.ending.how === "leave") this.#last.push(step);
    else if (step) this.#steps.push(step);
    if (running.left.length === 0) this.#running.splice(this.#running.indexOf(running), 1);
  }
}

function usesSamePort(one: Connection, other: Connection): boolean {
  return (
    one !== other &&
    one.localPort !== undefined &&
    one.localPort === other.localPort &&
    one.listener === other.listener &&
    one.client.container === other.client.container
  );
}

function isSame(one: Place, other: Place): boolean {
  return one.container === other.container && one.thread === other.thread;
}
