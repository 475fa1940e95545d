/**
 * The event loop of the engine thread: one epoll instance, timers, and deferred tasks.
 *
 * A descriptor is registered once: no `epoll_ctl` follows a connection's progress. Streams are
 * watched edge-triggered in both directions, so a watcher reads until nothing is left, or continues
 * later by {@link Reactor.defer}. Packet devices and listeners are watched level-triggered for
 * input: a watcher may leave input behind, because the next round reports it again. For the single
 * packet of a ping-pong this saves the read that finds nothing. An event carries a generation
 * number with its descriptor, because within one batch a descriptor can be closed and its number
 * reused.
 *
 * After work the loop polls briefly before it sleeps: on a small machine, above all a virtual one,
 * a trip through the scheduler costs as much as the work itself. The polling time adapts to its
 * success, like the kernel's halt polling (Documentation/virt/kvm/halt-polling.rst).
 */
import { availableParallelism } from "node:os";
// Not the global, whose getter shows in profiles when called in every round.
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

/** The owner of a watched descriptor. */
export interface Watcher {
  /** Handles the epoll events that occurred. For edge-triggered streams, see above. */
  onReady(events: number): void;
}

/** Work to continue later. */
export interface Task {
  resume(): void;
}

const batchEvents = 512;
/** After this many busy rounds, tasks that wait for an idle moment run anyway. */
const mostBusyRounds = 8;
/**
 * Bounds of the polling time. Without success it shrinks to the lower bound, which costs next to
 * nothing. On a single processor there is no polling: the awaited process could not run meanwhile.
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
  /** The time of the current batch of events, in milliseconds of `performance.now()`. */
  nowMs: number = performance.now();
  /** Counts the batches. A watcher that is called in consecutive rounds is in a burst. */
  round = 0;

  /**
   * Watches a stream for input, output and hang-up, edge-triggered. The reactor never closes it.
   */
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

  /** Forgets a descriptor that its owner is about to close; closing ends the kernel's watch. */
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
   * Calls `task.resume` when the loop is idle, or a few rounds later at the latest. Use it for work
   * that nobody waits for, so that it delays nothing else.
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
      for (let i = 0; i < count && this.#running; i++) this.#dispatch(i * epollEvent.sizeBytes);
      if (this.#running) this.#resumeDeferred();
      if (!this.#running) break;
      const due = this.#timers.nextDueMs();
      if (due !== undefined && due <= this.nowMs) this.#timers.run(this.nowMs);
    }
    this.#doForIdle();
    close(this.#epoll);
  }

  /** Ends {@link run} at once: whoever calls this may have closed what other tasks would use. */
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

  /** Tasks deferred meanwhile wait for the next round, so that events are not starved. */
  #resumeDeferred(): void {
    if (this.#deferred.length === 0) return;
    const tasks = this.#deferred;
    this.#deferred = this.#resuming;
    this.#resuming = tasks;
    for (let i = 0; i < tasks.length && this.#running; i++) tasks[i]?.resume();
    tasks.length = 0;
  }

  /**
   * Waits for events: not at all while work is left, else polling, then asleep. Returns their
   * number.
   */
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
    // Slightly longer polling would have caught this event, so polling is worth trying again.
    if (this.nowMs - sleptAtMs < pollMs.most) this.#polling = pollMs.most;
    return count;
  }

  /** The timeout for epoll_wait(2), an int: -1 means forever; beyond 24 days it wakes early. */
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
