/**
 * Seeded random numbers: the small generator sfc32 (Chris Doty-Humphrey, PractRand). Its state is
 * four 32-bit words; one of them is a counter, so no seed leads into a short cycle.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The same words give the same sequence. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = Math.floor(seed / 0x1_0000_0000) | 0;
    // As its author does: afterwards each bit of the seed has reached each bit of the state.
    for (let i = 0; i < 15; i++) this.next();
  }

  /** A number from 0 to 1, exclusive. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 0x1_0000_0000;
  }
}
