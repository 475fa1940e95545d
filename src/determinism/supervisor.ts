/**
 * Answers the calls that the filter stops: random bytes from the seed, the recorded time of day,
 * and the setup of a program's first thread, before which plg prepares the new process. It waits
 * only for the kernel. If it cannot answer, for example because it may not write to the memory, the
 * kernel does.
 */
import { randomBytes } from "node:crypto";
import type { Address } from "../base/units.ts";
import { EFAULT } from "../sys/errno.ts";
import { errno } from "../sys/libc.ts";
import { allocateRegion } from "../sys/memory.ts";
import { overwriteCode, ProcReader, readProcess, writeProcess } from "../sys/process-memory.ts";
import type { NotificationListener } from "../sys/seccomp.ts";
import type { Architecture } from "./core/architecture.ts";
import { callSite, type Stack, stackBytes, unmappedWord } from "./core/call-site.ts";
import { Exits } from "./exits.ts";
import { type Gap, GapLog } from "./core/gaps.ts";
import { Mappings } from "./core/mappings.ts";
import { NewThreads } from "./new-threads.ts";
import type { RandomSource } from "./random-device.ts";
import { Stream } from "./streams.ts";
import { type Execution, type Process, Processes } from "./processes.ts";
import type { Sources } from "./seeding.ts";
import type { ContainerName } from "./supervisor-task.ts";
import { ThreadStates } from "./thread-states.ts";
import { WallClock } from "./wall-clock.ts";
import { vdsoSymbols } from "./core/vdso.ts";

/** The most bytes per call; getrandom(2) may return less than requested. */
const mostBytes = 1 << 20;
const flags = 0x7;
const vdsoBytes = 8192;
const mostStrays = 256;

export class Supervisor implements RandomSource {
  readonly #architecture: Architecture;
  readonly bootId: Uint8Array;
  readonly proc: ProcReader = new ProcReader();
  readonly #clock: WallClock | undefined;
  readonly #processes: Processes;
  readonly #newThreads: NewThreads;
  readonly #exits: Exits;
  readonly #stack = allocateRegion(stackBytes);
  readonly #bytes = allocateRegion(mostBytes);
  #vdsoSymbols: ReadonlyMap<string, number> | undefined;

  constructor(
    architecture: Architecture,
    { seed, clock }: Omit<Sources, "device">,
    containerOf: (pid: number) => ContainerName | undefined,
    onGap: (gap: Gap) => void,
  ) {
    this.#architecture = architecture;
    this.bootId = new Stream(seed, "boot id").next(16);
    const states = new ThreadStates(this.proc, architecture);
    this.#newThreads = new NewThreads(states);
    this.#exits = new Exits(this.proc, states);
    this.#clock = clock && new WallClock(clock);
    this.#processes = new Processes(seed, this.proc, containerOf, new GapLog(onGap));
  }

  /** Answers the call that `listener` has just received. */
  answer(listener: NotificationListener): void {
    const { callNumber, tid } = listener;
    const { getrandom, exit, poll, threadSetup } = this.#architecture;
    if (callNumber === getrandom) this.#answerRandom(listener);
    else if (callNumber === exit) this.#exits.onExit(listener);
    else if (callNumber === poll) this.#newThreads.onShortWait(listener);
    else if (callNumber === threadSetup.number) {
      const execution = this.#processes.onThreadSetup(tid);
      if (execution) this.#prepare(execution, listener);
      listener.letPass();
    } else this.#answerTime(listener);
  }

  /** Reconsiders held calls. Returns how soon to do so again; undefined if no calls are held. */
  review(listener: NotificationListener): number | undefined {
    const [threadsMs, exitsMs] = [this.#newThreads, this.#exits].map((one) => one.review(listener));
    return threadsMs ?? exitsMs;
  }

  /** Random bytes for a thread that reads them from a file. */
  bytesFor(tid: number, lengthBytes: number): Uint8Array {
    const process = this.#processes.ofThread(tid);
    if (!process) return randomBytes(lengthBytes);
    const site = `file ${this.#siteOf(tid, process)}`;
    return this.#processes.streamOf(process, site, tid).next(lengthBytes);
  }

  close(): void {
    this.#exits.close();
    this.proc.close();
  }

  #answerRandom(listener: NotificationListener): void {
    const { tid } = listener;
    const lengthBytes = Math.min(listener.argument(1), mostBytes);
    // Unknown flags are left for the kernel to refuse.
    if ((listener.argument(2) & ~flags) !== 0) return listener.letPass();
    const process = this.#processes.ofThread(tid);
    if (!process) return listener.letPass();
    const site = this.#siteOf(tid, process);
    const stream = this.#processes.streamOf(process, site, tid);
    this.#bytes.bytes.set(stream.next(lengthBytes));
    // While the call waits, its thread's number cannot be reused.
    if (!listener.isWaiting()) return;
    const at = listener.argument(0) as Address;
    const written = lengthBytes === 0 ? 0 : writeProcess(tid, at, this.#bytes, lengthBytes);
    if (written >= 0) listener.answer(written);
    else if (errno() === EFAULT) listener.refuse(EFAULT);
    else {
      this.#processes.noteUnwritable(process);
      listener.letPass();
    }
  }

  /** Answers the time of day. The kernel answers processes outside all containers. */
  #answerTime(listener: NotificationListener): void {
    const { tid, callNumber } = listener;
    const container = this.#processes.ofThread(tid)?.image.container;
    if (!container || !this.#clock) return listener.letPass();
    const { view } = this.#bytes;
    const seconds = this.#clock.write(view, container.index);
    const { clockGettime, gettimeofday } = this.#architecture;
    const isTime = callNumber !== clockGettime && callNumber !== gettimeofday;
    if (callNumber === gettimeofday) {
      // The kernel fills in the obsolete time zone, which programs rarely request.
      if (listener.argument(1) !== 0) return listener.letPass();
      view.setBigInt64(8, view.getBigInt64(8, true) / 1000n, true);
    }
    const at = listener.argument(callNumber === clockGettime ? 1 : 0) as Address;
    const lengthBytes = isTime ? 8 : 16;
    if (!listener.isWaiting()) return;
    if (at === 0 && callNumber !== clockGettime) return listener.answer(isTime ? seconds : 0);
    const written = writeProcess(tid, at, this.#bytes, lengthBytes);
    if (written === lengthBytes) listener.answer(isTime ? seconds : 0);
    else listener.letPass();
  }

  #siteOf(tid: number, process: Process): string {
    const stack = this.#stackOf(tid);
    process.mappings ??= this.#list(tid);
    const word = unmappedWord(stack, process.mappings, process.strays);
    if (word !== undefined && process.strays.size < mostStrays) {
      process.mappings = this.#list(tid);
      if (!process.mappings.has(word)) process.strays.add(word);
    }
    return callSite(stack, process.mappings);
  }

  /** Empty if it cannot be read. */
  #stackOf(tid: number): Stack {
    // proc_pid_syscall(5): the number, six arguments, the stack pointer, the program counter.
    const [pointer = 0, instruction = 0] =
      this.proc.text(`${tid}/syscall`)?.split(" ").slice(7).map(Number) ?? [];
    const lengthBytes = readProcess(tid, pointer as Address, this.#stack, stackBytes);
    return { words: this.#stack.view, lengthBytes, instruction };
  }

  /**
   * Prepares a new process before its code runs. If its vDSO cannot be overwritten, it stays as it
   * is.
   */
  #prepare({ pid, vdso }: Execution, listener: NotificationListener): void {
    if (vdso === undefined) return;
    const { randomInVdso, clocksInVdso } = this.#architecture;
    const symbols = this.#symbolsOf(pid, vdso);
    for (const { symbol, code } of [randomInVdso, ...(this.#clock ? clocksInVdso : [])]) {
      const at = symbols.get(symbol);
      if (at === undefined || !listener.isWaiting()) continue;
      overwriteCode(pid, (vdso + at) as Address, code);
    }
  }

  #symbolsOf(pid: number, vdso: Address): ReadonlyMap<string, number> {
    if (this.#vdsoSymbols) return this.#vdsoSymbols;
    const lengthBytes = Math.max(0, readProcess(pid, vdso, this.#bytes, vdsoBytes));
    this.#vdsoSymbols = vdsoSymbols(
      new DataView(this.#bytes.bytes.buffer, this.#bytes.bytes.byteOffset, lengthBytes),
    );
    return this.#vdsoSymbols;
  }

  #list(tid: number): Mappings {
    return new Mappings(this.proc.text(`${tid}/maps`) ?? "");
  }
}
