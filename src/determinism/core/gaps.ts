/**
 * Reasons why a process's random bytes may differ in a replay although they follow from the seed.
 * plg notices them as they happen and reports them if the process differs.
 */
import type { ContainerIndex } from "../../base/ids.ts";

export type GapKind = "random addresses" | "several threads" | "several executions" | "unwritable";

/** A program of a container to which a reason applies. */
export interface Gap {
  readonly container: ContainerIndex;
  readonly program: string;
  readonly kind: GapKind;
}

const texts: Readonly<Record<GapKind, (program: string) => string>> = {
  "random addresses": (program) =>
    `${program} had random addresses, as set-user-ID programs do, and OpenSSL mixes addresses into its random numbers`,
  "several threads": (program) =>
    `several threads of ${program} drew random numbers at the same place, and may have swapped them`,
  "several executions": (program) =>
    `${program} ran more than once at a time, and the processes may have swapped their random numbers`,
  unwritable: (program) =>
    `${program} received random numbers from the kernel, because plg could not write to its memory`,
};

/** The reason, as a sentence without a full stop. */
export function describeGap({ program, kind }: Gap): string {
  return texts[kind](program);
}

/** Collects gaps, each once. */
export class GapLog {
  readonly #report: (gap: Gap) => void;
  readonly #known = new Set<string>();

  constructor(report: (gap: Gap) => void) {
    this.#report = report;
  }

  /** Notes a gap. Processes outside all containers do not count. */
  note(container: ContainerIndex | undefined, program: string, kind: GapKind): void {
    if (container === undefined) return;
    const key = `${container} ${kind} ${program}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#report({ container, program, kind });
  }
}
