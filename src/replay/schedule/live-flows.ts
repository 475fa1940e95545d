/**
 * Which recorded flow a live packet belongs to. As a rule the ports say so. A client's port may be
 * another in each run: then it is the first recorded flow of the same kind with the same port at one of
 * its ends that no live flow has claimed.
 */
import { type Flow, flowKey, pathKey } from "../../recording/flows.ts";

export class LiveFlows {
  readonly #recorded: readonly Flow[];
  /** Numbers of flows, by their keys: recorded ones, and live ones since they were first seen. */
  readonly #numbers = new Map<string, number>();
  /** The numbers of recorded flows that differ in their ports only. */
  readonly #paths = new Map<string, number[]>();
  readonly #claimed = new Set<number>();
  #count: number;

  constructor(recorded: readonly Flow[]) {
    this.#recorded = recorded;
    this.#count = recorded.length;
    recorded.forEach((flow, number) => {
      this.#numbers.set(flowKey(flow), number);
      const path = pathKey(flow);
      const numbers = this.#paths.get(path);
      if (numbers === undefined) this.#paths.set(path, [number]);
      else numbers.push(number);
    });
  }

  /** The number of the recorded flow; beyond those if the recording has no such flow. */
  numberOf(flow: Flow): number {
    const key = flowKey(flow);
    const number = this.#numbers.get(key) ?? this.#unclaimed(flow) ?? this.#count++;
    this.#numbers.set(key, number);
    this.#claimed.add(number);
    return number;
  }

  #unclaimed(flow: Flow): number | undefined {
    return this.#paths.get(pathKey(flow))?.find((number) => {
      const { sourcePort, destinationPort } = this.#recorded[number] as Flow;
      const isAlike = sourcePort === flow.sourcePort || destinationPort === flow.destinationPort;
      return isAlike && !this.#claimed.has(number);
    });
  }
}
