/**
 * `npm run fuzz -- --minutes 5 [--seed N] [DUMP...]`: runs changed dumps through all that reads
 * one. What breaks something is written to test/fuzz/found/; the exit code is 1 then. Real dumps
 * may be given to begin with.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { makeSeeds } from "./seeds.ts";
import { type Assignment, Counter, type Finding, mostBytes } from "./shared.ts";

/** An input of 64 KiB that needs more than this has made someone believe a length. */
const memoryMb = 256;
const hangMs = 30_000;
const tellEveryMs = 10_000;
const lookMs = 200;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    found: { type: "string", default: "test/fuzz/found" },
  },
});

class Fuzzing {
  readonly #counters = new SharedArrayBuffer(Counter.size * 8);
  readonly #numbers = new Float64Array(this.#counters);
  readonly #current = new SharedArrayBuffer(mostBytes);
  readonly #seeds: readonly Uint8Array[];
  #worker: Worker | undefined;
  #movedMs = performance.now();
  #lastInputs = 0;
  findings = 0;

  constructor(seeds: readonly Uint8Array[]) {
    this.#seeds = seeds;
  }

  start(seed: number): void {
    const workerData: Assignment = {
      seed,
      seeds: this.#seeds,
      counters: this.#counters,
      current: this.#current,
    };
    const worker = new Worker(new URL("worker.js", import.meta.url), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    worker.on("message", (finding: Finding) => this.#note(finding));
    worker.on("error", (error) => {
      const kind =
        "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY" ? "out of memory" : "broken";
      this.#replace(kind, error.stack ?? error.message, seed + 1);
    });
    this.#worker = worker;
    this.#movedMs = performance.now();
  }

  /** Whether the thread goes on; one that hangs is replaced. */
  watch(seed: number): void {
    const inputs = this.#numbers[Counter.inputs] as number;
    if (inputs !== this.#lastInputs) this.#movedMs = performance.now();
    this.#lastInputs = inputs;
    if (performance.now() - this.#movedMs > hangMs) this.#replace("hung", "no end in sight", seed);
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  tell(): string {
    const [inputs, corpus, parts, outcomes] = this.#numbers;
    return `${inputs} inputs, ${corpus} kept, ${parts} parts of the code reached, ${outcomes} outcomes, ${this.findings} findings`;
  }

  #replace(kind: Finding["kind"], text: string, seed: number): void {
    const lengthBytes = this.#numbers[Counter.lengthBytes] as number;
    this.#note({ kind, text, input: new Uint8Array(this.#current).slice(0, lengthBytes) });
    void this.#worker?.terminate();
    this.start(seed);
  }

  #note({ kind, text, input }: Finding): void {
    this.findings++;
    const name = createHash("sha256").update(input).digest("hex").slice(0, 12);
    mkdirSync(values.found, { recursive: true });
    writeFileSync(join(values.found, name), input);
    console.error(`${kind}: ${join(values.found, name)}\n${text}`);
  }
}

const seed = Number(values.seed);
const untilMs = performance.now() + Number(values.minutes) * 60_000;
const given = positionals.map((path) => readFileSync(path).subarray(0, mostBytes));
const fuzzing = new Fuzzing([...makeSeeds(seed), ...given]);
console.error(`seed ${seed}`);
fuzzing.start(seed);
for (let toldMs = performance.now(); performance.now() < untilMs;) {
  await sleep(lookMs);
  fuzzing.watch(seed + 1);
  if (performance.now() - toldMs < tellEveryMs) continue;
  toldMs = performance.now();
  console.error(fuzzing.tell());
}
await fuzzing.stop();
console.log(`${fuzzing.tell()} in ${values.minutes} min (seed ${seed})`);
process.exitCode = fuzzing.findings > 0 ? 1 : 0;
