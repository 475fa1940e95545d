/**
 * Which parts of plg an input has reached: V8's precise coverage, block by block, by the inspector
 * of this very thread. Asking costs about a millisecond, however many inputs ran before, so inputs
 * are run in batches, and singly only where a batch has reached something new.
 */
import { type Profiler, Session } from "node:inspector";

export class Coverage {
  readonly #session = new Session();
  readonly #seen = new Set<string>();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many parts were reached so far. */
  get size(): number {
    return this.#seen.size;
  }

  /** What was reached since the last call and never before. It stays new until it is noted. */
  unseen(): string[] {
    const taken = this.#post(
      "Profiler.takePreciseCoverage",
    ) as Profiler.TakePreciseCoverageReturnType;
    const unseen: string[] = [];
    for (const { url, functions } of taken.result) {
      if (!url.includes("/src/")) continue;
      for (const { ranges } of functions)
        for (const { startOffset, endOffset, count } of ranges) {
          const part = `${url}:${startOffset}:${endOffset}`;
          if (count > 0 && !this.#seen.has(part)) unseen.push(part);
        }
    }
    return unseen;
  }

  note(parts: readonly string[]): void {
    for (const part of parts) this.#seen.add(part);
  }

  /** In its own thread the inspector answers before `post` returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}
