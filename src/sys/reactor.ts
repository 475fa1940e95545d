/**
 * The event loop of the engine's thread: one epoll, timers, and a list of things to go on with.
 *
 * Descriptors are watched once and for good: no `epoll_ctl` follows a connection's ups and downs. A
 * stream is watched edge-triggered and for both directions, so whoever is told of an event reads until
 * there is no more, or asks to be called again with {@link Reactor.defer}. A packet device or a
 * listener is watched level-triggered and for input: it may be left with more, and the next round tells
 * so again, which for the lone packet of a ping-pong saves the read that finds nothing. An event carries the
 * watch's number besides its descriptor, because within one batch a descriptor can be closed and its
 * number given to another.
 *
 * After work the loop polls for a short while before it sleeps: on a small machine, and more so in a
 * virtual one, the round through the scheduler costs as much as the work itself. The time adapts to
 * whether polling pays (as the kernel's own halt polling does, Documentation/virt/kvm/halt-polling.rst).
 */
import { availableParallelism } from "node:os";
// Not the global, which is a getter: asked in every round it shows in profiles.
import { performance } from "node:perf_hooks";
import { assert } from "../base/assert.ts";
import type { Fd } from "../base/units.ts";
import {
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  epollEvent,
} from "./abi.ts";
import { check, EINTR, SystemError } from "./errno.ts";
import { close, epollCreate1, epollCtl, epollWait, errno } from "./libc.ts";
import { allocateRegion } from "./memory.ts";
import { type Timer, Timers } from "./timers.ts";

/** Whoever owns a watched descriptor. */
export interface Watcher {
  /** Called with the epoll events that came up. Edge-triggered: see above. */
  onReady(events: number): void;
}

/** Something to go on with later. */
export interface Task {
  resume(): void;
}

const batchEvents = 512;
/** How many rounds of events can pass before what waits for an idle moment is done all the same. */
const mostBusyRounds = 8;
/**
 * Bounds of the polling time: one that never pays shrinks to the lower, which costs next to nothing. On a single
 * processor there is no polling: whoever is waited for could not run meanwhile.
 */
const pollMs = availableParallelism() > 1 ? { least: 0.005, most: 0.1 } : { least: 0, most: 0 };

export class Reactor {
  readonly #epoll = check(epollCreate1(EPOLL_CLOEXEC), "epoll_create1", "the engine") as Fd;
  readonly #events = allocateRegion(batchEvents * epollEvent.sizeBytes);
  readonly #change = allocateRegion(16);
  readonly #watchers: (Watcher | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #timers = new Timers();
  #deferred: Task[] = [];
  #resuming: Task[] = [];
  #forIdle: Task[] = [];
  #forIdleSinceRound = 0;
  #running = false;
  #polling = pollMs.most;
  /** When the current batch of events was picked up: milliseconds of `performance.now()`. */
  nowMs: number = performance.now();
  /** Counts the batches: whoever is called in two rounds that follow each other is in a burst. */
  round = 0;

  /** Watches a stream for input, output and hang-up, edge-triggered. The reactor never closes it. */
  watch(fd: Fd, watcher: Watcher): void {
    this.#add(fd, watcher, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }

  /** Watches a device or a listener for input, level-triggered. The reactor never closes it. */
  watchLevel(fd: Fd, watcher: Watcher): void {
    this.#add(fd, watcher, EPOLLIN);
  }

  #add(fd: Fd, watcher: Watcher, events: number): void {
    const generation = ((this.#generations[fd] ?? 0) + 1) >>> 0;
    this.#generations[fd] = generation;
    this.#watchers[fd] = watcher;
    const { view, address } = this.#change;
    view.setUint32(0, events >>> 0, true);
    view.setUint32(epollEvent.dataAt, fd, true);
    view.setUint32(epollEvent.dataAt + 4, generation, true);
    check(epollCtl(this.#epoll, EPOLL_CTL_ADD, fd, address), "epoll_ctl", `descriptor ${fd}`);
  }

  /** Forgets a descriptor that its owner is about to close, which ends the kernel's watch as well. */
  forget(fd: Fd): void {
    this.#watchers[fd] = undefined;
  }

  /** Stops watching a descriptor that stays open. */
  unwatch(fd: Fd): void {
    this.forget(fd);
    epollCtl(this.#epoll, EPOLL_CTL_DEL, fd, this.#change.address);
  }

  /** Calls `task.resume` after the events of this round. */
  defer(task: Task): void {
    this.#deferred.push(task);
  }

  /**
   * Calls `task.resume` when nothing else is to be done, or a few rounds later at the latest: for what nobody
   * waits for, so that whoever waits for something else need not wait for this.
   */
  whenIdle(task: Task): void {
    if (this.#forIdle.push(task) === 1) this.#forIdleSinceRound = this.round;
  }

  /** Calls `action` once, `delayMs` from now. */
  after(delayMs: number, action: () => void): Timer {
    return this.#timers.add(this.nowMs + delayMs, action);
  }

  cancel(timer: Timer): void {
    this.#timers.cancel(timer);
  }

  /** Runs until {@link stop}. */
  run(): void {
    this.#running = true;
    while (this.#running) {
      const count = this.#wait();
      this.round++;
      for (let i = 0; i < count; i++) this.#dispatch(i * epollEvent.sizeBytes);
      this.#resumeDeferred();
      const due = this.#timers.nextDueMs();
      if (due !== undefined && due <= this.nowMs) this.#timers.run(this.nowMs);
    }
    this.#doForIdle();
    close(this.#epoll);
  }

  stop(): void {
    this.#running = false;
  }

  #dispatch(at: number): void {
    const { view } = this.#events;
    const fd = view.getUint32(at + epollEvent.dataAt, true);
    const generation = view.getUint32(at + epollEvent.dataAt + 4, true);
    if (this.#generations[fd] === generation) this.#watchers[fd]?.onReady(view.getUint32(at, true));
  }

  #doForIdle(): void {
    const tasks = this.#forIdle;
    for (let i = 0; i < tasks.length; i++) tasks[i]?.resume();
    tasks.length = 0;
  }

  /** What is deferred while these resume waits for the next round, so that events get their turn. */
  #resumeDeferred(): void {
    if (this.#deferred.length === 0) return;
    const tasks = this.#deferred;
    this.#deferred = this.#resuming;
    this.#resuming = tasks;
    for (let i = 0; i < tasks.length; i++) tasks[i]?.resume();
    tasks.length = 0;
  }

  /** Waits for events: not at all if work is left over, polling first, then asleep. Returns their number. */
  #wait(): number {
    if (this.round - this.#forIdleSinceRound >= mostBusyRounds) this.#doForIdle();
    if (this.#deferred.length > 0) return this.#collect(0);
    let count = this.#collect(0);
    if (count > 0) return count;
    this.#doForIdle();
    const idleSinceMs = this.nowMs;
    const dueMs = this.#timers.nextDueMs() ?? Infinity;
    while (this.nowMs - idleSinceMs < this.#polling && this.nowMs < dueMs) {
      count = this.#collect(0);
      if (count > 0) {
        this.#polling = Math.min(pollMs.most, this.#polling * 2);
        return count;
      }
    }
    this.#polling = Math.max(pollMs.least, this.#polling / 2);
    const sleptAtMs = this.nowMs;
    count = this.#collect(this.#timeoutMs(dueMs));
    // Had it polled a little longer it would have been there: worth trying again.
    if (this.nowMs - sleptAtMs < pollMs.most) this.#polling = pollMs.most;
    return count;
  }

  /** For epoll_wait(2), which takes an int: -1 is forever, and what is further off than 24 days is asked for again. */
  #timeoutMs(dueMs: number): number {
    if (dueMs === Infinity) return -1;
    return Math.min(0x7fff_ffff, Math.max(0, Math.ceil(dueMs - this.nowMs)));
  }

  #collect(timeoutMs: number): number {
    const count = epollWait(this.#epoll, this.#events.address, batchEvents, timeoutMs);
    this.nowMs = performance.now();
    if (count >= 0) return count;
    const error = errno();
    assert(error === EINTR, new SystemError("epoll_wait", "the engine", error).message);
    return 0;
  }
}
