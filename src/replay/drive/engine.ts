/**
 * The engine thread of a replay: the switch and sockets are those of a recording, with the player
 * behind them.
 */
import { workerData } from "node:worker_threads";
import { type ContainerIndex, endOf, type EventNumber, noEvent } from "../../base/ids.ts";
import { RecordedTime } from "../../determinism/core/recorded-time.ts";
import { Deliveries } from "../schedule/deliveries.ts";
import { Counter, type EngineTask } from "../../engine/task.ts";
import { EngineThread, type OrderHandler } from "../../engine/thread.ts";
import { quietMsOf } from "../../switch/core/link-plan.ts";
import { Switch } from "../../switch/switch.ts";
import type { CompareParts } from "../compare/compare.ts";
import { DifferenceLog } from "../findings/difference-log.ts";
import type { ReportDifference } from "../findings/differences.ts";
import { containerName } from "../findings/stream-name.ts";
import { ReplayCounter, type ReplayDetails, type ReplayOutcome } from "./engine-details.ts";
import { ChosenPorts } from "../match/chosen-ports.ts";
import { Matching } from "../match/matching.ts";
import { ReadBarrier } from "./read-barrier.ts";
import { equalBytes } from "../../recording/load/equal-bytes.ts";
import { PayloadFile } from "../../recording/load/payload-file.ts";
import { Player } from "./player.ts";
import { Progress } from "../progress/progress.ts";
import { RecordingIndex } from "../../recording/recording.ts";
import { type Reporter, reporterFor } from "../findings/reporter.ts";
import { Schedule, speedOf } from "../schedule/schedule.ts";
import { DatagramPace } from "./datagram-pace.ts";
import { StartHold } from "./start-hold.ts";
import { droppedDatagrams } from "../../sys/datagram-drops.ts";
import { WorkingThreads } from "../../sys/threads.ts";
import { ContainerSockets } from "./container-sockets.ts";

/** How often to publish progress. */
const lookMs = 5;
/**
 * A process counts as quiet after this long without movement. The player then settles pending
 * matches.
 */
const quietAfterMs = 50;
/** After a command ends, its bytes may be on their way for this long, and longer over a link. */
const goneAfterMs = 100;
/**
 * The engine divides this time into looks and handles its events in between, because on a busy
 * machine the time alone says little. A process without connections and links can only have packets
 * left in a device's queue, so two looks are enough for it.
 */
const goneLooks = { most: 10, idle: 2 } as const;

class ReplayEngine implements OrderHandler {
  readonly #engine: EngineThread;
  readonly #switch: Switch;
  readonly #player: Player;
  readonly #log: DifferenceLog;
  readonly #schedules: readonly Schedule[];
  readonly #counters: Float64Array;
  readonly #progress: Progress;
  readonly #task: EngineTask & ReplayDetails;
  readonly #index: RecordingIndex;
  readonly #file: PayloadFile;
  readonly #sockets: ContainerSockets;
  readonly #hasLinks: boolean;
  /** The containers whose processes are gone. */
  readonly #gone = new Set<number>();
  readonly #goneAfterMs: number;
  /** Since when everything has been played. */
  #doneSinceMs = Infinity;

  constructor(task: EngineTask & ReplayDetails) {
    this.#engine = new EngineThread(task);
    this.#counters = new Float64Array(task.replayCounters);
    this.#task = task;
    this.#log = new DifferenceLog(task.mostDifferences);
    this.#file = new PayloadFile(task.path);
    const linkMs = quietMsOf(task.links);
    this.#goneAfterMs = goneAfterMs + linkMs;
    this.#hasLinks = linkMs > 0;
    const index = new RecordingIndex(task.recording);
    this.#index = index;
    const progress = new Progress(index);
    this.#progress = progress;
    const reporter = reporterFor(this.#log, index, progress);
    const { report } = reporter;
    this.#schedules = schedulesFor(task, index, progress, report);
    const { reactor, subnets, links } = this.#engine;
    const { tuns, pipeTun } = task;
    this.#switch = new Switch({ reactor, subnets, tuns, pipeTun, links });
    this.#sockets = new ContainerSockets(subnets, task.namespaces);
    const chosenPorts = new ChosenPorts(index);
    this.#player = new Player({
      reactor,
      subnets,
      index,
      live: new Set(task.live),
      file: this.#file,
      schedules: this.#schedules,
      matching: new Matching(index, progress, this.#file.reader(), report),
      patienceMs: task.schedule.patienceMs,
      quietMs: quietAfterMs + linkMs,
      linkMs,
      progress,
      read: this.#file.reader(),
      report,
      masks: task.masks,
      // A flood does not wait for questions, and the global order covers the whole run.
      movesExchanges: task.schedule.release.type !== "flood" && task.schedule.order !== "global",
      chosenPorts,
      compare: task.compare ? this.#compareParts(reporter, chosenPorts) : undefined,
      readBarrier: this.#createReadBarrier(task, index),
      startHold: this.#createStartHold(task, index),
      datagramPace: this.#createDatagramPace(task, index),
      sockets: this.#sockets,
      exits: this.#switch,
      watchThreads: (container) => this.#engine.watchThreads(container),
      onBytes: (lengthBytes) => this.#engine.count(Counter.bytes, lengthBytes),
      onConnection: () => this.#engine.count(Counter.connections, 1),
      onDelivery: clockOf(task, index),
    });
  }

  run(): void {
    this.#player.start();
    this.#switch.start({ interceptor: this.#player.interceptor, observer: this.#player });
    this.#publishProgress();
    this.#engine.run(this);
  }

  onWakeup(): void {
    // The orders are all that wakes this engine.
  }

  onGone(container: ContainerIndex): void {
    this.#noteGoneLater(container, 0, 0);
  }

  onReady(): void {
    // A replay makes no connection before its recorded turn, so it has no checks.
  }

  /** What a process may send in place of a port that it chose itself in the recording. */
  #equivalents(chosenPorts: ChosenPorts): NonNullable<CompareParts["equivalentsFor"]> {
    const sockets = this.#sockets;
    return (container) =>
      chosenPorts.has(container)
        ? () => chosenPorts.equivalents(container, sockets.listeningPorts(container))
        : undefined;
  }

  /**
   * `--order connection` and `flood` do not order events across connections, so they need no
   * barrier.
   */
  #createReadBarrier(task: ReplayDetails, index: RecordingIndex): ReadBarrier | undefined {
    const { order, release } = task.schedule;
    if (order === "connection" || release.type === "flood") return undefined;
    return new ReadBarrier({ reactor: this.#engine.reactor, index, sockets: this.#sockets });
  }

  #createDatagramPace({ schedule }: ReplayDetails, index: RecordingIndex): DatagramPace {
    return new DatagramPace({
      clock: this.#engine.reactor,
      index,
      speed: speedOf(schedule.release),
      queuedBytes: (flow) => this.#sockets.queuedBytes(flow),
      patienceMs: schedule.patienceMs,
      isBound: (flow) => this.#sockets.isBound(flow),
    });
  }

  #compareParts(reporter: Reporter, ports: ChosenPorts): Omit<CompareParts, "read" | "index"> {
    const parts = compareParts(this.#task, this.#progress, reporter);
    return { ...parts, equivalentsFor: this.#equivalents(ports) };
  }

  #createStartHold(task: EngineTask & ReplayDetails, index: RecordingIndex): StartHold | undefined {
    const { release, patienceMs } = task.schedule;
    if (release.type === "flood") return undefined;
    const watches = task.namespaces.map(
      (network) => network && new WorkingThreads(task.procPath, network),
    );
    return new StartHold({
      clock: this.#engine.reactor,
      index,
      patienceMs,
      speed: speedOf(release),
      listens: (container, family, port) => this.#sockets.listens(container, family, port),
      isWorking: (container) => watches[container]?.haveWorked() ?? false,
    });
  }

  #noteGoneLater(container: ContainerIndex, looks: number, idleLooks: number): void {
    const isIdle = !this.#hasLinks && !this.#player.hasOpen(container);
    const idle = isIdle ? idleLooks + 1 : 0;
    if (looks >= goneLooks.most || idle > goneLooks.idle) return this.#noteGone(container);
    const pauseMs = this.#goneAfterMs / goneLooks.most;
    this.#engine.reactor.after(pauseMs, () => this.#noteGoneLater(container, looks + 1, idle));
  }

  #noteGone(container: ContainerIndex): void {
    this.#gone.add(container);
    this.#player.noteGone(container);
  }

  #publishProgress(): void {
    const counters = this.#counters;
    counters[ReplayCounter.played] = this.#sum("played");
    counters[ReplayCounter.total] = this.#sum("total");
    counters[ReplayCounter.differences] = this.#log.count;
    counters[ReplayCounter.waitingFor] = this.#player.runners.waitingFor;
    for (const container of this.#task.live)
      if (this.#progress.hasDeparted(container)) counters[ReplayCounter.departed + container] = 1;
    counters[ReplayCounter.done] = this.#isOver() ? 1 : 0;
    this.#engine.reactor.after(lookMs, () => this.#publishProgress());
  }

  /**
   * Whether everything was played, and in addition all processes are gone, nothing moves any more,
   * or the movement has outlasted the patience.
   */
  #isOver(): boolean {
    const { nowMs } = this.#engine.reactor;
    if (!this.#player.runners.areDone) this.#doneSinceMs = Infinity;
    else this.#doneSinceMs = Math.min(this.#doneSinceMs, nowMs);
    const quietMs = nowMs - this.#player.runners.movedMs;
    const doneMs = nowMs - this.#doneSinceMs;
    const isAlone = this.#gone.size === this.#task.live.length;
    return (
      doneMs >= 0 &&
      (isAlone || quietMs > this.#goneAfterMs || doneMs > this.#task.schedule.patienceMs)
    );
  }

  #sum(what: "played" | "total"): number {
    return this.#schedules.reduce((sum, schedule) => sum + schedule[what], 0);
  }

  #countHappened(): number {
    return this.#schedules.reduce((sum, schedule) => sum + schedule.countHappened(), 0);
  }

  /** Reports datagrams that live processes did not read in time. */
  #reportDrops(): void {
    for (const container of this.#task.live) {
      const network = this.#task.namespaces[container];
      const datagrams = network === undefined ? 0 : droppedDatagrams(network);
      if (datagrams === 0) continue;
      const process = containerName(this.#index, container);
      this.#log.add({ kind: "dropped-datagrams", process, datagrams });
    }
  }

  onFinish(): void {
    this.#player.finish();
    this.#reportDrops();
    this.#file.close();
    this.#sockets.close();
    this.#engine.noteDrops(this.#switch);
    this.#switch.close();
    const outcome: ReplayOutcome = {
      differences: this.#log.list(),
      // Without a difference, nothing was given up.
      played: this.#log.count === 0 ? this.#sum("played") : this.#countHappened(),
      total: this.#sum("total"),
    };
    this.#engine.done(outcome);
  }
}

/** The monotonic clock, which all threads share. */
function nowNs(): number {
  return Number(process.hrtime.bigint());
}

/**
 * Returns a function that advances the live processes' time of day when an event happens to them.
 */
function clockOf(
  { recordedTime, live }: ReplayDetails,
  index: RecordingIndex,
): (event: EventNumber) => void {
  if (!recordedTime) return () => {};
  const time = new RecordedTime(recordedTime);
  const deliveries = new Map(live.map((one) => [one, new Deliveries(index, one)]));
  for (const [container, its] of deliveries) time.reach(container, 0, nowNs(), its.nextNs(noEvent));
  return (event) => {
    const receiver = index.receiver(event);
    const its = deliveries.get(receiver);
    if (its) time.reach(receiver, index.deliveryNs(event), nowNs(), its.nextNs(event));
  };
}

/** Creates one schedule per live process, or a common one for the global order. */
function schedulesFor(
  { live, schedule }: ReplayDetails,
  index: RecordingIndex,
  progress: Progress,
  report: ReportDifference,
): readonly Schedule[] {
  const all = new Set(live);
  const groups = schedule.order === "global" ? [live] : live.map((one) => [one]);
  return groups.map(
    (containers) => new Schedule(index, all, containers, progress, schedule, report),
  );
}

function compareParts(
  { masks }: ReplayDetails,
  progress: Progress,
  reporter: Reporter,
): Omit<CompareParts, "read" | "index"> {
  const { cuts } = progress;
  return {
    ...reporter,
    masks,
    isCut: (connection, direction) => cuts.isCut(connection, direction),
    deliveredBytes: (connection, direction) => progress.receivedBytes(endOf(connection, direction)),
    equal: equalBytes,
  };
}

new ReplayEngine(workerData as EngineTask & ReplayDetails).run();
