/** How to emphasize text, with the color roles of git and vitest. */
export interface Paint {
  /** Live bytes that differ, and failures. */
  readonly bad: (text: string) => string;
  /** The expected bytes, and successes. */
  readonly good: (text: string) => string;
  readonly heading: (text: string) => string;
}

const asItIs = (text: string): string => text;

/** No emphasis. */
export const plain: Paint = { bad: asItIs, good: asItIs, heading: asItIs };
