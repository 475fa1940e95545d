/** Random choices that are the same again for the same seed. */
import { random } from "../fuzz/random.ts";

export class Chance {
  readonly #below: (limit: number) => number;

  constructor(seed: number) {
    // Spread, because xorshift's first numbers are alike for neighbouring seeds (Knuth's
    // multiplicative hash).
    this.#below = random(Math.imul(seed + 1, 2_654_435_761) ^ 0x5bd1e995);
    for (let i = 0; i < 8; i++) this.#below(2);
  }

  /** From `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.#below(most - least + 1);
  }

  /** Small numbers are as likely as large ones: each order of magnitude has the same chance. */
  magnitude(least: number, most: number): number {
    const fraction = this.#below(1 << 20) / (1 << 20);
    return Math.round(least * (most / least) ** fraction);
  }

  /** True in so many of 100 cases. */
  percent(chance: number): boolean {
    return this.#below(10_000) < chance * 100;
  }

  /** One of them, which must not be none. */
  oneOf<T>(values: readonly T[]): T {
    const value = values[this.#below(values.length)];
    if (value === undefined) throw new Error("there is nothing to choose from");
    return value;
  }

  /** One by weight, or the first if all weights are 0. */
  weighted<T>(
    choices: readonly [readonly [weight: number, value: T], ...(readonly [number, T])[]],
  ): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = (this.#below(1 << 20) / (1 << 20)) * total;
    for (const [weight, value] of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    return choices[0][1];
  }
}
