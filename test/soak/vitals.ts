/** What a process holds on to, looked at again and again: what only ever grows is a leak. */
import { readdirSync } from "node:fs";
import { statusKilobytes } from "../programs/processes.ts";

/**
 * Open connections come and go, and each takes two descriptors; so what counts is the least in a
 * while.
 */
const slackDescriptors = 16;
/** The heap breathes, too. */
const slackKilobytes = 40_000;

/** In fewer, the programs have hardly begun: nothing is judged by them. */
const fewSamples = 100;

interface Sample {
  readonly descriptors: number;
  readonly residentKilobytes: number;
}

export class Vitals {
  readonly #pid: number;
  readonly #samples: Sample[] = [];

  constructor(pid: number) {
    this.#pid = pid;
  }

  take(): void {
    const descriptors = readdirSync(`/proc/${this.#pid}/fd`).length;
    this.#samples.push({ descriptors, residentKilobytes: statusKilobytes(this.#pid, "VmRSS") });
  }

  /** The last figures, for people. */
  toString(): string {
    const { descriptors = 0, residentKilobytes = 0 } = this.#samples.at(-1) ?? {};
    return `${descriptors} descriptors, ${Math.round(residentKilobytes / 1000)} MB`;
  }

  /** The least in the second quarter of the time and in the last: the first is for warming up. */
  summary(): string {
    const { early, late } = this.#compare();
    return `descriptors ${early.descriptors} and later ${late.descriptors}, resident memory ${Math.round(early.residentKilobytes / 1000)} MB and later ${Math.round(late.residentKilobytes / 1000)} MB`;
  }

  problems(): string[] {
    if (this.#samples.length < fewSamples) return [];
    const { early, late } = this.#compare();
    const problems: string[] = [];
    if (late.descriptors > early.descriptors + slackDescriptors) problems.push("descriptors leak");
    if (late.residentKilobytes > early.residentKilobytes + slackKilobytes)
      problems.push("memory leaks");
    return problems;
  }

  #compare(): { early: Sample; late: Sample } {
    const quarter = Math.max(1, this.#samples.length >> 2);
    return {
      early: least(this.#samples.slice(quarter, 2 * quarter)),
      late: least(this.#samples.slice(-quarter)),
    };
  }
}

function least(samples: readonly Sample[]): Sample {
  return {
    descriptors: Math.min(...samples.map(({ descriptors }) => descriptors)),
    residentKilobytes: Math.min(...samples.map(({ residentKilobytes }) => residentKilobytes)),
  };
}
