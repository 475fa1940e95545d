/**
 * The thread that fuzzes: takes an input that once reached something new, changes it, and keeps the
 * result if it has reached something new itself. Beside it lies, in shared memory, what it is about
 * to run, so that the main thread has it should this one hang or run out of memory.
 */
import { parentPort, workerData } from "node:worker_threads";
import { Coverage } from "./coverage.ts";
import { mutate } from "./mutations.ts";
import { random } from "./random.ts";
import { importAll } from "./captures.ts";
import { readAll } from "./readers.ts";
import { type Assignment, Counter, type Finding, slowMs } from "./shared.ts";

const batchInputs = 64;

const { seed, seeds, counters, current } = workerData as Assignment;
const choose = random(seed);
const coverage = new Coverage();
const outcomes = new Set<string>();
const corpus: Uint8Array[] = [];
const numbers = new Float64Array(counters);
const place = new Uint8Array(current);

/** Whether the input ended in a way that none had before. */
function run(input: Uint8Array): boolean {
  place.set(input);
  numbers[Counter.lengthBytes] = input.length;
  numbers[Counter.inputs] = (numbers[Counter.inputs] as number) + 1;
  const startedMs = performance.now();
  const outcome = outcomeOf(input);
  if (performance.now() - startedMs > slowMs) report("slow", "it took too long", input);
  if (outcomes.has(outcome)) return false;
  outcomes.add(outcome);
  return true;
}

/** What is broken in the same way again is told once. */
function outcomeOf(input: Uint8Array): string {
  try {
    return `${readAll(input)} / ${importAll(input)}`;
  } catch (error) {
    const { message, stack } = error as Error;
    const outcome = `broken: ${message.replaceAll(/\d+/g, "N")}`;
    if (!outcomes.has(outcome)) report("broken", stack ?? message, input);
    return outcome;
  }
}

function report(kind: Finding["kind"], text: string, input: Uint8Array): void {
  parentPort?.postMessage({ kind, text, input: input.slice() } satisfies Finding);
}

function keep(input: Uint8Array): void {
  corpus.push(input);
  numbers[Counter.corpus] = corpus.length;
  numbers[Counter.parts] = coverage.size;
  numbers[Counter.outcomes] = outcomes.size;
}

/** The newest are the least explored. */
function choice(): Uint8Array {
  return corpus[corpus.length - 1 - choose(1 + choose(corpus.length))] as Uint8Array;
}

/** Looks for the inputs of a batch that reached something new. */
function keepThoseThatReach(batch: readonly Uint8Array[]): void {
  const reached = coverage.unseen();
  if (reached.length === 0) return;
  for (const input of batch) {
    run(input);
    const parts = coverage.unseen();
    if (parts.length > 0) keep(input);
    coverage.note(parts);
  }
  coverage.note(reached);
}

for (const input of seeds) {
  run(input);
  keep(input);
}
coverage.note(coverage.unseen());
for (;;) {
  const batch = Array.from({ length: batchInputs }, () => mutate(choice(), corpus, choose));
  for (const input of batch) if (run(input)) keep(input);
  keepThoseThatReach(batch);
}
