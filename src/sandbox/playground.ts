/**
 * The playground: the network of a run, with its engine thread. Recording and replaying differ only in
 * the engine's module and in what it is told besides.
 */
import type { Subnet } from "../net/subnet.ts";
import { linkedContainers, type LinkSetup } from "../switch/link-plan.ts";
import { closeWakeup, createWakeup } from "../sys/wakeup.ts";
import { EngineHost } from "./engine-host.ts";
import { Counter, type EngineTask } from "./engine-task.ts";
import { createContainerSpace } from "./container-space.ts";
import { createPipeSpace } from "./pipe-space.ts";
import { tryShortcut } from "./shortcut.ts";
import { closeSpace, type Space } from "./space.ts";
import { Undertaker } from "./undertaker.ts";

/** What the network of a run is like. */
export interface NetworkOptions {
  /** What lies between the containers. */
  readonly links?: LinkSetup | undefined;
  /** How large the kernel's buffers of a pipe may grow, each way at either end. */
  readonly bufferBytes?: number | undefined;
}

export class Playground {
  readonly spaces: readonly Space[];
  readonly task: EngineTask;
  readonly #pipeSpace: Space;
  readonly #undertaker: Undertaker;

  /** Makes `containers` namespaces and the pipe space. Throws a MachineError where that is not possible. */
  constructor(
    subnets: readonly Subnet[],
    containers: number,
    startHrNs: bigint,
    { links, bufferBytes }: NetworkOptions,
  ) {
    const isLinked = linkedContainers(links?.specs ?? [], containers);
    this.#pipeSpace = createPipeSpace(subnets, isLinked.includes(true), bufferBytes);
    const spaces: Space[] = [];
    const pipeSpace = this.#pipeSpace.namespace;
    let hasShortcuts = true;
    try {
      for (const [i, linked] of isLinked.entries())
        spaces.push(
          createContainerSpace(subnets, i, linked, () => {
            // A link acts in the switch, so all packets pass there.
            if (!linked) hasShortcuts &&= tryShortcut(subnets, i, pipeSpace);
          }),
        );
    } catch (error) {
      for (const space of [...spaces, this.#pipeSpace]) void closeSpace(space);
      throw error;
    }
    this.spaces = spaces;
    this.#undertaker = new Undertaker(
      [...spaces, this.#pipeSpace].map(({ namespace }) => namespace),
    );
    this.task = {
      pipeNamespace: this.#pipeSpace.namespace,
      pipeTun: this.#pipeSpace.tun,
      namespaces: spaces.map(({ namespace }) => namespace),
      tuns: spaces.map(({ tun }) => tun),
      subnets: subnets.map(String),
      links,
      wakeup: createWakeup(),
      counters: new SharedArrayBuffer(Counter.size * Float64Array.BYTES_PER_ELEMENT),
      startHrNs,
    };
  }

  /** Starts an engine: `url` is its compiled module, `details` what it gets besides the common task. */
  async startEngine<Details extends object>(
    url: URL,
    details: Details,
    onWarning: (text: string) => void,
  ): Promise<EngineHost> {
    const engine = new EngineHost(url, { ...this.task, ...details }, onWarning);
    await engine.ready();
    return engine;
  }

  /** Frees the namespaces. The engine must have ended. */
  async close(): Promise<void> {
    this.#undertaker.dismiss();
    await Promise.all([...this.spaces, this.#pipeSpace].map(closeSpace));
    closeWakeup(this.task.wakeup);
  }
}
