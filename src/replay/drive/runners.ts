/** The schedule runners of a replay, by the live processes that they play to. */
import { type ContainerIndex, type EventNumber, noEvent } from "../../base/ids.ts";
import type { ScheduleRunner } from "./schedule-runner.ts";

export class Runners {
  readonly all: readonly ScheduleRunner[];
  readonly #byContainer = new Map<number, ScheduleRunner>();

  constructor(all: readonly ScheduleRunner[]) {
    this.all = all;
    for (const runner of all)
      for (const container of runner.schedule.containers) this.#byContainer.set(container, runner);
  }

  /** The runner that plays to a live process; undefined for a played container. */
  of(container: ContainerIndex): ScheduleRunner | undefined {
    return this.#byContainer.get(container);
  }

  /** The live processes, with their runners. */
  byContainer(): Iterable<readonly [number, ScheduleRunner]> {
    return this.#byContainer;
  }

  /** Whether every event has happened or was given up. */
  get areDone(): boolean {
    return this.all.every(({ isDone }) => isDone);
  }

  /** When anything last moved, in milliseconds of the reactor's clock. */
  get movedMs(): number {
    return Math.max(...this.all.map(({ movedMs }) => movedMs));
  }

  /** An event that a runner waits for, or {@link noEvent}. */
  get waitingFor(): EventNumber {
    return this.all.find(({ waitingFor }) => waitingFor !== noEvent)?.waitingFor ?? noEvent;
  }
}
