/** How text is emphasized, where it can be: as git and vitest have it. */
export interface Paint {
  /** What differs now, and what failed. */
  readonly bad: (text: string) => string;
  /** What was expected in its place, and what passed. */
  readonly good: (text: string) => string;
  readonly heading: (text: string) => string;
}

const asItIs = (text: string): string => text;

/** Text as it is. */
export const plain: Paint = { bad: asItIs, good: asItIs, heading: asItIs };
