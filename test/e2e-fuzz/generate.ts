/** Makes a scenario from a seed. Pure: the same seed makes the same scenario. */
import type { Family } from "../../src/base/units.ts";
import { Chance } from "./chance.ts";
import { interleave } from "./interleave.ts";
import { chooseLink, type Link, noLink } from "./links.ts";
import { type Moods, moodsOf } from "./moods.ts";
import {
  type Connection,
  type Flow,
  type Identify,
  type Listener,
  type Place,
  type Scenario,
  type Side,
  type Step,
} from "./scenario.ts";
import { type Budget, ConnectionScript, flowScript } from "./scripts.ts";

const firstServerPort = 7000;
const firstClientPort = 3000;
const firstFlowPort = 5000;
/** Nobody listens there. */
const refusedPort = 6999;
const maxThreads = 5;
const maxThreadsOfOneConnection = 40;
const maxListeners = 6;
const maxConnections = 80;
const maxFlows = 5;
const maxRefused = 2;
const maxPauses = 10;
/** What fits into a scenario of a second or two. */
const scenarioBytes = 12_000_000;
const scenarioWaitMs = 600;
/** A datagram in fragments. */
const mostDatagramBytes = 4000;
const maxLateMs = 300;
/**
 * How long `plg record` holds a connection if somebody listens late, or if nobody waits for the
 * others to start.
 */
const waitForLateMs = 1000;
const waitForStartMs = 10_000;

/** `without`: the names of moods, which are left out. */
export function generate(seed: number, without: readonly string[] = []): Scenario {
  return new Generator(seed, without).scenario();
}

class Generator {
  readonly #seed: number;
  readonly #chance: Chance;
  readonly #moods: Moods;
  readonly #budget: Budget = { bytes: scenarioBytes, waitMs: scenarioWaitMs };
  readonly #threads: number[];
  readonly #listeners: readonly Listener[];
  readonly #isTogether: boolean;
  readonly #link: Link;
  readonly #flows: readonly Flow[];
  /** All connections to a listener that accepts in order come from one thread. */
  readonly #onlyClients = new Map<number, Place>();
  #clientPort = firstClientPort;

  constructor(seed: number, without: readonly string[]) {
    this.#seed = seed;
    this.#chance = new Chance(seed);
    this.#moods = moodsOf(this.#chance, without);
    const containers = this.#chance.weighted<number>([
      [4, 2],
      [3, 3],
      [2, 4],
    ]);
    this.#threads = Array.from({ length: containers }, () => this.#chance.between(1, maxThreads));
    const listeners = this.#chance.magnitude(1, maxListeners);
    this.#listeners = Array.from({ length: listeners }, (_, index) => this.#listener(index));
    this.#flows = this.#chance.percent(this.#moods.datagrams) ? this.#makeFlows() : [];
    this.#isTogether = this.#flows.length > 0 || !this.#chance.percent(this.#moods.alone);
    this.#link = this.#chance.percent(this.#moods.links)
      ? chooseLink(this.#chance, containers, this.#flows.length > 0)
      : noLink;
    this.#budget.bytes = Math.min(scenarioBytes, this.#link.mostBytes);
  }

  scenario(): Scenario {
    const count = this.#chance.magnitude(1, maxConnections);
    const connections = this.#connections(count);
    const moods: Moods = { ...this.#moods, ...this.#link.moods };
    const scripts = connections.map((connection, index) => {
      const script = new ConnectionScript(this.#chance, moods, this.#budget, connection);
      const mustFreePort = connections
        .slice(index + 1)
        .some((other) => sharesPort(connection, other));
      return script.write(this.#listenerOf(connection), mustFreePort, this.#mayLeave(connection));
    });
    const extras = [
      ...this.#flows.map((flow) => flowScript(this.#chance, flow, this.#budget, mostDatagramBytes)),
      ...this.#extras(),
    ];
    const parts = { listeners: this.#listeners, connections, scripts, extras };
    return {
      seed: this.#seed,
      containers: this.#threads,
      listeners: this.#listeners,
      connections,
      flows: this.#flows,
      links: this.#link.specs,
      waitListenMs: this.#waitListenMs(),
      isTogether: this.#isTogether,
      steps: interleave(this.#chance, moods, parts),
    };
  }

  #waitListenMs(): number {
    if (!this.#isTogether) return waitForStartMs;
    const isLate = this.#listeners.some(({ lateMs }) => lateMs > 0);
    return isLate || this.#chance.percent(20) ? waitForLateMs : 0;
  }

  #container(): number {
    return this.#chance.between(0, this.#threads.length - 1);
  }

  #otherThan(container: number): number {
    return (container + this.#chance.between(1, this.#threads.length - 1)) % this.#threads.length;
  }

  /** One of a container's threads, or a new one. */
  #thread(container: number): number {
    const count = this.#threads[container] ?? 1;
    if (count >= maxThreadsOfOneConnection || !this.#chance.percent(this.#moods.ownThread))
      return this.#chance.between(0, count - 1);
    this.#threads[container] = count + 1;
    return count;
  }

  #family(): Family {
    return this.#chance.percent(70) ? 4 : 6;
  }

  #listener(index: number): Listener {
    const { order, port, hello, login, narrowBacklog, late } = this.#moods;
    const container = this.#container();
    const identify = this.#chance.weighted<Identify>([
      [hello, "hello"],
      [order, "order"],
      [port, "port"],
      [login, "login"],
    ]);
    return {
      container,
      family: this.#family(),
      port: firstServerPort + index,
      identify,
      backlog: this.#chance.percent(narrowBacklog) ? this.#chance.magnitude(1, 8) : 128,
      lateMs: this.#chance.percent(late) ? this.#chance.magnitude(10, maxLateMs) : 0,
      thread: this.#chance.between(0, (this.#threads[container] ?? 1) - 1),
    };
  }

  #listenerOf({ listener: index }: Connection): Listener {
    const listener = this.#listeners[index];
    if (!listener) throw new Error(`there is no listener ${index}`);
    return listener;
  }

  #connections(count: number): Connection[] {
    const connections: Connection[] = [];
    for (let id = 0; id < count; id++) connections.push(this.#connection(id, connections));
    return connections;
  }

  #connection(id: number, before: readonly Connection[]): Connection {
    const index = this.#chance.between(0, this.#listeners.length - 1);
    const { container, identify } = this.#listeners[index] as Listener;
    const place =
      identify === "order" ? this.#onlyClient(index, container) : this.#client(container);
    const localPort = this.#localPort(place.container, index, identify, before);
    // A thread that connects from a port again knows that the connection before is over.
    const earlier = before.find(
      (one) =>
        one.listener === index &&
        one.client.container === place.container &&
        one.localPort === localPort &&
        localPort !== undefined,
    );
    const client = earlier?.client ?? place;
    return {
      id,
      listener: index,
      client,
      serverThread: this.#thread(container),
      noDelay: this.#chance.percent(60),
      ...(localPort === undefined ? {} : { localPort }),
    };
  }

  #client(server: number): Place {
    const container = this.#otherThan(server);
    return { container, thread: this.#thread(container) };
  }

  #onlyClient(index: number, server: number): Place {
    const place = this.#onlyClients.get(index) ?? this.#client(server);
    this.#onlyClients.set(index, place);
    return place;
  }

  /**
   * A port that was or is used already, now and then; for another server it may be in use at the
   * same time.
   */
  #localPort(
    container: number,
    index: number,
    identify: Identify,
    before: readonly Connection[],
  ): number | undefined {
    if (identify !== "port" && !this.#chance.percent(this.#moods.reusedPort)) return undefined;
    const ports = before.flatMap(({ client, localPort, listener }) =>
      client.container === container &&
      localPort !== undefined &&
      (listener === index || this.#chance.percent(20))
        ? [localPort]
        : [],
    );
    const isReused = ports.length > 0 && this.#chance.percent(60);
    return isReused ? this.#chance.oneOf(ports) : this.#clientPort++;
  }

  /**
   * A process may exit while one with a larger number waits for it, so none wait for each other.
   */
  #mayLeave(connection: Connection): Side[] {
    const { container: server } = this.#listenerOf(connection);
    return [connection.client.container < server ? "client" : "server"];
  }

  #makeFlows(): Flow[] {
    return Array.from({ length: this.#chance.magnitude(1, maxFlows) }, (_, id) => {
      const [server, family] = [this.#container(), this.#family()];
      const client = this.#otherThan(server);
      const port = firstFlowPort + 2 * id;
      return {
        id,
        family,
        client: { container: client, thread: this.#thread(client), port },
        server: { container: server, thread: this.#thread(server), port: port + 1 },
      };
    });
  }

  /** Pauses, and connections to where nobody listens: each by itself. */
  #extras(): Step[][] {
    const { pause, refused } = this.#moods;
    const some = (chance: number, most: number): number =>
      Array.from({ length: most }, () => this.#chance.percent(chance)).filter(Boolean).length;
    // Where nobody waits for the others to start, a refusal could be one of those.
    const refusals = this.#isTogether ? some(10 * refused, maxRefused) : 0;
    return [
      ...Array.from({ length: some(10 * pause, maxPauses) }, () => this.#pause()),
      ...Array.from({ length: refusals }, () => this.#refused()),
    ];
  }

  #pause(): Step[] {
    const container = this.#container();
    const ms = Math.min(this.#chance.magnitude(1, 80), this.#budget.waitMs);
    this.#budget.waitMs -= ms;
    return ms > 0 ? [{ do: "pause", container, thread: this.#thread(container), ms }] : [];
  }

  #refused(): Step[] {
    const container = this.#container();
    const to = this.#otherThan(container);
    const thread = this.#thread(container);
    return [{ do: "refused", container, thread, to, family: this.#family(), port: refusedPort }];
  }
}

function sharesPort(one: Connection, other: Connection): boolean {
  return (
    one.localPort !== undefined &&
    one.localPort === other.localPort &&
    one.listener === other.listener &&
    one.client.container === other.client.container
  );
}
