/**
 * Identifies the processes of a run by properties that are the same in every run: the container,
 * the program, and the number of earlier executions of that program there. A fork without an exec
 * is also identified by the number of earlier forks of that execution that asked for random bytes.
 * PIDs and parents do not count: a command that is started through a debugger is still the same
 * command.
 *
 * A fork is recognized by its memory: plg writes the 16 bytes at AT_RANDOM after each exec, and a
 * child inherits them, whatever becomes of its parent.
 */
import { pid as ownPid } from "node:process";
import type { Address } from "../base/units.ts";
import { ADDR_NO_RANDOMIZE } from "../sys/abi.ts";
import { allocateRegion } from "../sys/memory.ts";
import { type ProcReader, readProcess, writeProcess } from "../sys/process-memory.ts";
import { AT_RANDOM, AT_SYSINFO_EHDR, auxiliaryValue } from "./core/auxiliary-vector.ts";
import type { GapKind, GapLog } from "./core/gaps.ts";
import type { Mappings } from "./core/mappings.ts";
import { Stream } from "./streams.ts";
import type { ContainerName } from "./supervisor-task.ts";

/** An execution of a program. Its processes are the executing one and its forks. */
interface Image {
  readonly name: string;
  readonly program: string;
  /** Undefined for a process that has left all networks of the run. */
  readonly container: ContainerName | undefined;
  /** Its bytes at AT_RANDOM, in hexadecimal. */
  readonly token: string;
  forks: number;
}

/** A stream, and the thread that drew from it first. */
interface Drawn {
  readonly stream: Stream;
  readonly tid: number;
}

export interface Process {
  readonly pid: number;
  readonly name: string;
  readonly image: Image;
  /** By call site. */
  readonly streams: Map<string, Drawn>;
  /** As last read; undefined before the first read. */
  mappings: Mappings | undefined;
  /** Words on its stacks that look like addresses but point nowhere. */
  readonly strays: Set<number>;
}

/** The executions of one program in one container. */
interface Executions {
  readonly count: number;
  readonly latestPid: number;
}

/** A program that was just executed. */
export interface Execution {
  readonly pid: number;
  /** The address of its vDSO; undefined if it has none. */
  readonly vdso: Address | undefined;
}

const tokenBytes = 16;
/** After this many new processes and threads, the ended ones are forgotten. */
const newcomersPerSweep = 512;

export class Processes {
  readonly #seed: number;
  readonly #proc: ProcReader;
  readonly #containerOf: (pid: number) => ContainerName | undefined;
  readonly #byTid = new Map<number, Process>();
  readonly #images = new Map<string, Image>();
  /** By container and program. */
  readonly #executions = new Map<string, Executions>();
  readonly #gaps: GapLog;
  readonly #token = allocateRegion(tokenBytes);
  #newcomers = 0;

  /** `containerOf` returns a process's container, by its network. */
  constructor(
    seed: number,
    proc: ProcReader,
    containerOf: (pid: number) => ContainerName | undefined,
    gaps: GapLog,
  ) {
    this.#gaps = gaps;
    this.#seed = seed;
    this.#proc = proc;
    this.#containerOf = containerOf;
  }

  /**
   * The process of this thread. Undefined if it has ended, or if it is plg itself: the filter also
   * applies to the thread that starts the commands.
   */
  ofThread(tid: number): Process | undefined {
    const known = this.#byTid.get(tid);
    if (known) return known;
    const status = this.#status(tid);
    if (!status || status.pid === ownPid) return undefined;
    const process = this.#byTid.get(status.pid) ?? this.#forked(status.pid);
    this.#add(tid, process);
    return process;
  }

  /**
   * Handles a thread's setup call. If a program begins with it, this writes AT_RANDOM and returns
   * the execution. Some programs repeat the call later; then this returns undefined.
   */
  onThreadSetup(tid: number): Execution | undefined {
    const status = this.#status(tid);
    if (status?.pid !== tid) return undefined;
    const vector = this.#vectorOf(tid);
    const at = auxiliaryValue(vector, AT_RANDOM);
    if (at === undefined) return undefined;
    const old = this.#tokenAt(tid, at as Address);
    if (old === undefined || this.#images.has(old)) return undefined;
    // Before the next read from /proc, which overwrites the vector.
    const vdso = auxiliaryValue(vector, AT_SYSINFO_EHDR) as Address | undefined;
    this.#execute(tid, status, at as Address);
    return { pid: tid, vdso };
  }

  /** The stream of `process` for calls from `site`, which its thread `tid` makes. */
  streamOf({ name, streams, image }: Process, site: string, tid: number): Stream {
    let drawn = streams.get(site);
    if (!drawn)
      streams.set(site, (drawn = { stream: new Stream(this.#seed, `${name}\n${site}`), tid }));
    if (drawn.tid !== tid) this.#note(image, "several threads");
    return drawn.stream;
  }

  /** Notes that plg could not answer a call of this process. */
  noteUnwritable({ image }: Process): void {
    this.#note(image, "unwritable");
  }

  #note({ container, program }: Image, kind: GapKind): void {
    this.#gaps.note(container?.index, program, kind);
  }

  #execute(pid: number, { parent, program }: Status, at: Address): void {
    const container = this.#containerOf(pid) ?? this.#byTid.get(parent)?.image.container;
    const of = `${container?.name ?? ""}\n${program}`;
    const { count: before = 0, latestPid } = this.#executions.get(of) ?? {};
    this.#executions.set(of, { count: before + 1, latestPid: pid });
    const name = `${of}\n${before}`;
    const bytes = new Stream(this.#seed, `${name}\nAT_RANDOM`).next(tokenBytes);
    const token = Buffer.from(bytes).toString("hex");
    const image: Image = { name, program, container, token, forks: 0 };
    if (latestPid !== undefined && latestPid !== pid && this.#isRunning(latestPid, program))
      this.#note(image, "several executions");
    if (this.#hasRandomAddresses(pid)) this.#note(image, "random addresses");
    this.#token.bytes.set(bytes);
    if (writeProcess(pid, at, this.#token, tokenBytes) === tokenBytes)
      this.#images.set(image.token, image);
    this.#add(pid, this.#process(pid, name, image));
  }

  #forked(pid: number): Process {
    const at = auxiliaryValue(this.#vectorOf(pid), AT_RANDOM);
    const token = at === undefined ? undefined : this.#tokenAt(pid, at as Address);
    const image = (token === undefined ? undefined : this.#images.get(token)) ?? this.#unknown(pid);
    const process = this.#process(pid, `${image.name}\n/${image.forks++}`, image);
    this.#add(pid, process);
    return process;
  }

  /** The image of a process whose start plg did not see, for example a 32-bit program's child. */
  #unknown(pid: number): Image {
    const container = this.#containerOf(pid);
    const token = `unknown ${container?.name ?? ""}`;
    let image = this.#images.get(token);
    if (!image) this.#images.set(token, (image = unknownImage(token, container)));
    return image;
  }

  #isRunning(pid: number, program: string): boolean {
    return this.#status(pid)?.program === program;
  }

  /** See proc_pid(5) and <linux/personality.h>. */
  #hasRandomAddresses(pid: number): boolean {
    const persona = this.#proc.text(`${pid}/personality`);
    return persona !== undefined && (Number.parseInt(persona, 16) & ADDR_NO_RANDOMIZE) === 0;
  }

  #process(pid: number, name: string, image: Image): Process {
    return { pid, name, image, streams: new Map(), mappings: undefined, strays: new Set() };
  }

  #add(tid: number, process: Process): void {
    this.#byTid.set(tid, process);
    if (++this.#newcomers >= newcomersPerSweep) this.#sweep();
  }

  /** Forgets threads that have ended, because the kernel may reuse their numbers. */
  #sweep(): void {
    this.#newcomers = 0;
    for (const tid of this.#byTid.keys())
      if (!this.#proc.read(`${tid}/stat`)) this.#byTid.delete(tid);
    const living = new Set(Array.from(this.#byTid.values(), ({ image }) => image));
    for (const image of this.#images.values())
      if (!living.has(image)) this.#images.delete(image.token);
  }

  /** Empty for a process that has ended. */
  #vectorOf(pid: number): DataView {
    const bytes = this.#proc.read(`${pid}/auxv`) ?? new Uint8Array();
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #tokenAt(pid: number, at: Address): string | undefined {
    if (readProcess(pid, at, this.#token, tokenBytes) !== tokenBytes) return undefined;
    return Buffer.from(this.#token.bytes).toString("hex");
  }

  /** See proc_pid_status(5). */
  #status(tid: number): Status | undefined {
    const text = this.#proc.text(`${tid}/status`);
    const found = text && /^Name:\t(.*)\n[^]*?\nTgid:\t(\d+)\n[^]*?\nPPid:\t(\d+)\n/.exec(text);
    if (!found) return undefined;
    return { program: found[1] ?? "", pid: Number(found[2]), parent: Number(found[3]) };
  }
}

function unknownImage(token: string, container: ContainerName | undefined): Image {
  return { name: token, program: "a program", container, token, forks: 0 };
}

interface Status {
  readonly program: string;
  readonly pid: number;
  readonly parent: number;
}
