/** Runs the measurements round by round, each directly and then through plg. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { formatBytes } from "../src/base/text.ts";
import { measureDisk } from "./disk.ts";
import { type Commands, type Measurement, quoted, type Setting } from "./measurement.ts";
import { findProgram } from "./programs.ts";
import { addRound, emptyRow, formatFigure, type Row, type Sample } from "./results.ts";
import { direct, throughPlg, type Way } from "./way.ts";

export interface Plan {
  readonly measurements: readonly Measurement[];
  readonly rounds: number;
  readonly seconds: number;
  readonly folder: string;
  /** plg's main module. */
  readonly plg: string;
  /** Aborted when the user interrupts the benchmark. */
  readonly signal: AbortSignal;
  readonly progress: (line: string) => void;
}

export interface Result {
  readonly rows: readonly Row[];
  /** The disk's own rate in Gb/s, measured before each measurement that fills it. */
  readonly disk: readonly number[];
  readonly failures: readonly string[];
}

export class Benchmark {
  readonly #plan: Plan;
  readonly #setting: Setting;
  readonly #rows: ReadonlyMap<Measurement, Row[]>;
  readonly #disk: number[] = [];
  readonly #failures = new Map<Measurement, string>();
  readonly #throughPlg: Way;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#setting = {
      seconds: plan.seconds,
      folder: plan.folder,
      program: (name) => quoted(findProgram(name) ?? name),
    };
    this.#rows = new Map(plan.measurements.map((each) => [each, each.figures.map(emptyRow)]));
    this.#throughPlg = throughPlg(plan.plg);
  }

  async run(): Promise<Result> {
    const { measurements, rounds } = this.#plan;
    for (const each of measurements) await this.#guarded(each, () => this.#prepare(each));
    for (let round = 1; round <= rounds; round++)
      for (const each of measurements)
        await this.#guarded(each, () => this.#measure(each, `${round}/${rounds} ${each.name}`));
    return {
      rows: [...this.#rows.values()].flat(),
      disk: this.#disk,
      failures: [...this.#failures.values()],
    };
  }

  /** A failed measurement is not repeated, and does not stop the others. */
  async #guarded(measurement: Measurement, body: () => Promise<void>): Promise<void> {
    if (this.#failures.has(measurement)) return;
    try {
      await body();
    } catch (error) {
      this.#plan.signal.throwIfAborted();
      const failure = `${measurement.name}: ${(error as Error).message}`;
      this.#failures.set(measurement, failure);
      this.#plan.progress(`failed: ${failure}`);
    }
  }

  async #prepare({ name, port, prepare }: Measurement): Promise<void> {
    if (!prepare) return;
    this.#plan.progress(`preparing ${name}`);
    await direct(this.#job(prepare(this.#setting), port));
  }

  async #measure(measurement: Measurement, label: string): Promise<void> {
    if (measurement.fillsDisk) this.#measureDisk(label);
    const before = await this.#sample(measurement, direct, `${label} direct`);
    const through = await this.#sample(measurement, this.#throughPlg, `${label} plg`);
    addRound(this.#rows.get(measurement) ?? [], before, through);
  }

  #measureDisk(label: string): void {
    const rate = measureDisk(this.#plan.folder);
    this.#plan.progress(`${label} disk alone: ${formatFigure(rate, "Gb/s")}`);
    this.#disk.push(rate);
  }

  async #sample(measurement: Measurement, way: Way, label: string): Promise<Sample> {
    const { commands, port, figures, read } = measurement;
    const { output, ...dump } = await way(this.#job(commands(this.#setting), port));
    const values = read(output);
    const shown = figures.map(({ unit }, i) => formatFigure(values[i] ?? NaN, unit)).join(", ");
    const { dumpBytes } = dump;
    this.#plan.progress(
      `${label}: ${shown}${dumpBytes === undefined ? "" : ` (dump of ${formatBytes(dumpBytes)})`}`,
    );
    return { values, ...dump };
  }

  #job(commands: Commands, port: number): Parameters<Way>[0] {
    const { folder, seconds, signal } = this.#plan;
    const limit = AbortSignal.timeout(60_000 + 5000 * seconds);
    return {
      commands,
      port,
      folder: join(folder, randomUUID()),
      signal: AbortSignal.any([signal, limit]),
    };
  }
}
