/** A run in progress, recording or replay: what a library's user holds. */
import type { Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FetchDispatcher } from "./caller/fetch-types.ts";
import { UsageError } from "../base/errors.ts";
import type { EngineCounts } from "../engine/host.ts";
import type { ContainerPlan } from "../sandbox/network/topology.ts";
import { hasCommand } from "../sandbox/network/topology.ts";
import type { RunHooks } from "../sandbox/processes/run.ts";
import type { Caller } from "./caller/caller.ts";
import type { IoredisConnector } from "./caller/ioredis.ts";
import type { RunEvent, RunEvents } from "./events.ts";

/** A container of a run. */
export interface RunContainer {
  readonly name: string;
  /** Its IPv4 address, if the run has IPv4, and its IPv6 address, if the run has IPv6. */
  readonly addresses: readonly string[];
  /** What `/bin/sh -c` runs in it; undefined for the calling process and for an imported host. */
  readonly command: string | undefined;
}

/** How far a run has come. */
export interface RunProgress {
  readonly elapsedMs: number;
  /** Connections so far, and those that are open. */
  readonly connections: number;
  readonly openConnections: number;
  /** Bytes that the connections carried, in both directions together. */
  readonly bytes: number;
  /** Packets other than TCP. */
  readonly packets: number;
}

/** A prepared recording or replay. It runs once, or is abandoned. */
export interface Session<Result> {
  run(hooks: RunHooks): Promise<Result>;
  stop(): void;
  abandon(): Promise<void>;
  counts(): EngineCounts;
}

/** What a run consists of. */
export interface RunParts<Result> {
  readonly session: Session<unknown>;
  /** The session's outcome, in the form that the user gets. */
  readonly outcome: Promise<Result>;
  readonly containers: readonly ContainerPlan[];
  readonly events: RunEvents;
  readonly ready: Promise<void>;
  /** The calling process's part, if it takes part. */
  readonly caller: Caller | undefined;
  /** Called once the calling process has left the run's network. */
  readonly onLeave: () => void;
}

const progressEveryMs = 250;
/** The connections that the calling process has ended are over when nothing moves for this long. */
const quiet = { forMs: 50, atMostMs: 1000 } as const;

/**
 * A run in progress. It ends when {@link finish} or {@link stop} is called, at the end of an `await
 * using` block, or when its `signal` is aborted. Then no process, socket or namespace of it is
 * left, whatever happened.
 */
export class Run<Result> {
  /** In the order of their addresses. */
  readonly containers: readonly RunContainer[];
  /**
   * What happens: lines of output, commands that end, and warnings. Events wait until someone
   * iterates, up to 10,000 of them. The iteration ends with the run.
   *
   * @example
   * for await (const event of run.events) console.log(event);
   */
  readonly events: AsyncIterable<RunEvent>;
  /**
   * Settles when all containers with a `ready` condition are ready, or the run is over. In a
   * replay, at once: it connects to a command when that listens.
   */
  readonly ready: Promise<void>;
  readonly #parts: RunParts<Result>;
  readonly #startedMs = performance.now();
  #leaving: Promise<void> | undefined;
  #isOver = false;
  #isStopping = false;

  /** Called by `record` and `replay`. */
  constructor(parts: RunParts<Result>) {
    this.#parts = parts;
    this.events = parts.events;
    this.containers = parts.containers.map((plan) => ({
      name: plan.name,
      addresses: plan.addresses,
      command: hasCommand(plan) ? plan.command : undefined,
    }));
    const end = (): void => {
      this.#isOver = true;
      parts.events.close();
    };
    this.ready = Promise.race([parts.ready, parts.outcome.then(end, end)]);
  }

  /**
   * Connects the calling process to a port of a container. The connection is recorded, and in a
   * replay compared, like any other.
   *
   * @param container Its name, or one of its addresses.
   * @throws {UsageError} If there is no such container, or the calling process takes no part.
   */
  connect(container: string, port: number): Socket {
    return this.#caller.sockets.connect(container, port);
  }

  /**
   * A socket that is not connected yet, for clients that call `connect` themselves.
   *
   * @example
   * const pool = new pg.Pool({ host: "db", stream: () => run.socket() });
   */
  socket(): Socket {
    return this.#caller.sockets.socket();
  }

  /**
   * Listens on a port of the calling process's container, so that the other containers can connect
   * to it. The run closes the server at its end.
   *
   * @param server @default a new `net.Server`
   * @example
   * await run.listen(9000, http.createServer((request, response) => response.end("ok")));
   */
  listen(port: number, server?: Server): Promise<Server> {
    return this.#caller.sockets.listen(port, server);
  }

  /**
   * A dispatcher for Node's `fetch`. Host names in URLs are names of containers.
   *
   * @example
   * const response = await fetch("http://app:8080/orders", { dispatcher: run.dispatcher });
   */
  get dispatcher(): FetchDispatcher {
    return this.#caller.dispatcher;
  }

  /** `fetch` through {@link dispatcher}. */
  fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    return fetch(input, { ...init, dispatcher: this.dispatcher });
  }

  /**
   * A class for the option `Connector` of ioredis.
   *
   * @example
   * const redis = new Redis({ host: "cache", port: 6379, Connector: run.ioredisConnector });
   */
  get ioredisConnector(): IoredisConnector {
    return this.#caller.ioredisConnector;
  }

  /** How far the run has come, every `everyMs` milliseconds until it is over. */
  async *progress(everyMs: number = progressEveryMs): AsyncGenerator<RunProgress, void, undefined> {
    while (!this.#isOver) {
      yield this.#progressNow();
      await Promise.race([sleep(everyMs), this.#parts.outcome.catch(() => {})]);
    }
    yield this.#progressNow();
  }

  /**
   * Ends the calling process's part, waits for the run's own end (its `until`; in a replay, that
   * everything was played), and returns its result.
   */
  async finish(): Promise<Result> {
    await this.#leave();
    return this.#parts.outcome;
  }

  /**
   * Stops the commands and returns the result. If it is called again while commands are still
   * ending, they are killed.
   */
  async stop(): Promise<Result> {
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    if (isFirst) await this.#leave();
    this.#parts.session.stop();
    return this.#parts.outcome;
  }

  /** Stops the run if it was not ended before. */
  async [Symbol.asyncDispose](): Promise<void> {
    const hasEnded = this.#leaving !== undefined;
    if (!hasEnded) await this.stop();
    // Whoever ended it gets its errors.
    else await this.#parts.outcome.catch(() => {});
  }

  /** @internal Stops the run when `signal` is aborted. */
  stopWith(signal: AbortSignal | undefined): void {
    if (!signal) return;
    const stop = (): void => void this.stop().catch(() => {});
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    const forget = (): void => signal.removeEventListener("abort", stop);
    void this.#parts.outcome.then(forget, forget);
  }

  /** Closes the calling process's connections, and lets their peers take notice. */
  #leave(): Promise<void> {
    this.#leaving ??= this.#close();
    return this.#leaving;
  }

  async #close(): Promise<void> {
    const { caller, onLeave } = this.#parts;
    if (caller && !this.#isOver && (await caller.close())) await this.#untilQuiet();
    onLeave();
  }

  async #untilQuiet(): Promise<void> {
    const untilMs = performance.now() + quiet.atMostMs;
    let last = "";
    while (!this.#isOver && performance.now() < untilMs) {
      const { bytes, connections, openConnections } = this.#parts.session.counts();
      const now = `${bytes} ${connections} ${openConnections}`;
      if (now === last) return;
      last = now;
      await sleep(quiet.forMs);
    }
  }

  #progressNow(): RunProgress {
    const { connections, openConnections, bytes, packets } = this.#parts.session.counts();
    const elapsedMs = performance.now() - this.#startedMs;
    return { elapsedMs, connections, openConnections, bytes, packets };
  }

  get #caller(): Caller {
    const { caller } = this.#parts;
    if (caller) return caller;
    throw new UsageError(
      "the calling process takes no part in this run: give it a name as `caller`",
    );
  }
}
