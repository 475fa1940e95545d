/**
 * Finds the recorded flow of a live packet. Usually the ports identify it. A client's port may
 * differ in each run: then the packet belongs to the first unclaimed recorded flow of the same kind
 * that shares a port with it.
 */
import { type Flow, flowKey, pathKey } from "../../recording/flows.ts";

export class LiveFlows {
  readonly #recorded: readonly Flow[];
  /** Flow numbers by key: recorded flows, and live flows once they were seen. */
  readonly #numbers = new Map<string, number>();
  /** The numbers of recorded flows that differ only in their ports. */
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

  /** The number of the recorded flow. A flow that the recording does not have gets a new number. */
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
