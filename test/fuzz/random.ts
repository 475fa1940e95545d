/** Random numbers that are the same again for the same seed (xorshift32, Marsaglia 2003). */
import type { Choose } from "./mutations.ts";

export function random(seed: number): Choose {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
