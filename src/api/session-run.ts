/** Turns a prepared session into a run: starts it, and lets the calling process take part. */
import type { ContainerIndex } from "../base/ids.ts";
import type { Namespace } from "../sys/namespace.ts";
import type { ContainerPlan, Topology } from "../sandbox/network/topology.ts";
import { hasCommand } from "../sandbox/network/topology.ts";
import type { CommandEnd } from "../sandbox/processes/command.ts";
import type { RunHooks } from "../sandbox/processes/run.ts";
import { Caller } from "./caller/caller.ts";
import type { ContainerExit, RunEvents } from "./events.ts";
import type { Session } from "./run.ts";

/** A session of which the calling process can be a part. */
interface CallableSession extends Session<unknown> {
  networkOf(container: ContainerIndex): Namespace;
  noteLeft(container: ContainerIndex): void;
}

/** What {@link startSession} needs. */
interface StartParts<S> {
  readonly topology: Topology;
  /** The calling process's container, if it takes part. */
  readonly callerPlan: ContainerPlan | undefined;
  readonly events: RunEvents;
  readonly signal: AbortSignal | undefined;
  readonly onReady?: (container: number) => void;
  readonly prepare: (hooks: RunHooks) => Promise<S>;
}

/** A session whose commands have been started. */
interface StartedSession<S extends CallableSession> {
  readonly session: S;
  readonly caller: Caller | undefined;
  readonly outcome: ReturnType<S["run"]>;
}

/** A promise, and how to settle it from outside. */
interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

export function closedGate(): Gate {
  let resolvePassed: (() => void) | undefined;
  const passed = new Promise<void>((resolve) => (resolvePassed = resolve));
  return { passed, open: () => resolvePassed?.() };
}

/**
 * Prepares a session and starts its commands. If it throws, or `signal` is aborted, nothing of the
 * session is left.
 */
export async function startSession<S extends CallableSession>(
  parts: StartParts<S>,
): Promise<StartedSession<S>> {
  const { topology, callerPlan, events, signal } = parts;
  signal?.throwIfAborted();
  const started = closedGate();
  const onReady = (container: number): void => parts.onReady?.(container);
  const hooks = { ...hooksFor(events), onStart: started.open, onReady };
  const session = await parts.prepare(hooks);
  let caller: Caller | undefined;
  try {
    if (callerPlan) caller = await Caller.create(session.networkOf(callerPlan.index), topology);
    signal?.throwIfAborted();
  } catch (error) {
    await session.abandon();
    throw error;
  }
  const outcome = session.run(hooks) as ReturnType<S["run"]>;
  // The caller learns of a failure by `finish` or `stop`.
  outcome.catch(() => {});
  await Promise.race([started.passed, outcome]);
  return { session, caller, outcome };
}

function hooksFor(events: RunEvents): RunHooks {
  return {
    onWarning: (text) => events.push({ type: "warning", text }),
    onCommandEnd: ({ plan }, exit) => events.push({ type: "exit", container: plan.name, exit }),
  };
}

/** Settles when all these containers are ready. */
export class Readiness {
  readonly reached: Promise<void>;
  readonly #missing: Set<number>;
  readonly #gate = closedGate();

  constructor(containers: readonly number[]) {
    this.#missing = new Set(containers);
    this.reached = this.#gate.passed;
    if (this.#missing.size === 0) this.#gate.open();
  }

  note(container: number): void {
    this.#missing.delete(container);
    if (this.#missing.size === 0) this.#gate.open();
  }
}

/** How the commands ended, by the container's name. `ends` are in the order of the commands. */
export function exitsOf(
  live: readonly ContainerPlan[],
  ends: readonly CommandEnd[],
): Readonly<Record<string, ContainerExit>> {
  const names = live.filter(hasCommand).map(({ name }) => name);
  return Object.fromEntries(ends.map((end, i) => [names[i] ?? "", end]));
}
