/**
 * The playground: the network of a run and its engine thread. Recording and replaying differ only
 * in the engine's module and its parameters.
 */
import { allOrNothingNow, type UndoStack } from "../base/undo-stack.ts";
import { MachineError } from "../base/errors.ts";
import { plural } from "../base/text.ts";
import type { Fd } from "../base/units.ts";
import type { Subnet } from "../net/subnet.ts";
import { linkedContainers, type LinkSetup } from "../switch/core/link-plan.ts";
import { descriptorLimit, keepDescriptorsFromChildren } from "../sys/descriptors.ts";
import { closeWakeup, createWakeup } from "../sys/wakeup.ts";
import { EngineHost } from "../engine/host.ts";
import { Counter, type EngineTask } from "../engine/task.ts";
import { createContainerSpace } from "./network/container-space.ts";
import { createPipeSpace } from "./network/pipe-space.ts";
import { tryShortcut } from "./network/shortcut.ts";
import { closeSpace, type Space } from "./network/space.ts";
import { Undertaker } from "./processes/undertaker.ts";

/** The properties of a run's network. */
export interface NetworkOptions {
  /** The links between the containers. */
  readonly links?: LinkSetup | undefined;
  /** The maximum size of a pipe socket's send and receive buffers. */
  readonly bufferBytes?: number | undefined;
}

/**
 * The descriptors that a run needs: for threads, their wake-ups and the modules that they load at
 * once (90 were too few), and for each container's namespaces and output.
 */
const descriptors = { anyway: 200, perContainer: 8, forConnections: 1000 } as const;

export class Playground {
  /** By container; undefined for one without a network. */
  readonly spaces: readonly (Space | undefined)[];
  readonly task: Omit<EngineTask, "procPath" | "startHrNs">;
  readonly #pipeSpace: Space;
  readonly #undertaker: Undertaker;

  /**
   * Creates the namespaces of `containers` and the pipe space. By container, `hasNetwork` says
   * whether it needs a namespace. Throws a MachineError if that is impossible.
   */
  constructor(
    subnets: readonly Subnet[],
    hasNetwork: readonly boolean[],
    { links, bufferBytes }: NetworkOptions,
  ) {
    requireDescriptors(hasNetwork.filter(Boolean).length);
    // Before the first child starts, which is the undertaker.
    keepDescriptorsFromChildren();
    const isLinked = linkedContainers(links?.specs ?? [], hasNetwork.length);
    const network = allOrNothingNow((undos) =>
      createNetwork(subnets, { isLinked, hasNetwork }, bufferBytes, undos),
    );
    const { pipeSpace, spaces, wakeup } = network;
    this.#pipeSpace = pipeSpace;
    this.spaces = spaces;
    this.#undertaker = network.undertaker;
    this.task = {
      pipeNamespace: pipeSpace.namespace,
      pipeTun: pipeSpace.tun,
      namespaces: spaces.map((space) => space?.namespace),
      tuns: spaces.map((space) => space?.tun),
      subnets: subnets.map(String),
      links,
      wakeup,
      counters: new SharedArrayBuffer(Counter.size * Float64Array.BYTES_PER_ELEMENT),
    };
  }

  /**
   * Starts an engine from the compiled module `url`, with `details` in addition to the common task.
   */
  async startEngine<Details extends object>(
    url: URL,
    procPath: string,
    details: Details & Pick<EngineTask, "startHrNs">,
    onWarning: (text: string) => void,
  ): Promise<EngineHost> {
    const engine = new EngineHost(url, { ...this.task, procPath, ...details }, onWarning);
    await engine.ready();
    return engine;
  }

  /** Frees the namespaces. The engine must have ended. */
  close(): void {
    this.#undertaker.dismiss();
    present([...this.spaces, this.#pipeSpace]).forEach(closeSpace);
    closeWakeup(this.task.wakeup);
  }
}

/** What a playground has to free. */
interface Network {
  readonly pipeSpace: Space;
  readonly spaces: readonly (Space | undefined)[];
  readonly wakeup: Fd;
  readonly undertaker: Undertaker;
}

function createNetwork(
  subnets: readonly Subnet[],
  {
    isLinked,
    hasNetwork,
  }: { readonly isLinked: readonly boolean[]; readonly hasNetwork: readonly boolean[] },
  bufferBytes: number | undefined,
  undos: UndoStack,
): Network {
  const wakeup = createWakeup();
  undos.push(() => closeWakeup(wakeup));
  const pipeSpace = createPipeSpace(subnets, isLinked.includes(true), bufferBytes);
  undos.push(() => closeSpace(pipeSpace));
  const spaces: (Space | undefined)[] = isLinked.map(() => undefined);
  undos.push(() => present(spaces).forEach(closeSpace));
  let hasShortcuts = true;
  for (const [i, linked] of isLinked.entries())
    if (hasNetwork[i] === true)
      spaces[i] = createContainerSpace(subnets, i, linked, () => {
        // A link acts in the switch, so all packets must pass through it.
        if (!linked) hasShortcuts &&= tryShortcut(subnets, i, pipeSpace.namespace);
      });
  const networks = present([...spaces, pipeSpace]).map(({ namespace }) => namespace);
  const undertaker = new Undertaker(networks);
  return { pipeSpace, spaces, wakeup, undertaker };
}

function present(spaces: readonly (Space | undefined)[]): Space[] {
  return spaces.filter((space) => space !== undefined);
}

/** Throws a MachineError if the descriptor limit is too low for the run. */
function requireDescriptors(containers: number): void {
  const needed = descriptors.anyway + descriptors.perContainer * containers;
  const limit = descriptorLimit();
  if (limit >= needed) return;
  throw new MachineError(
    `a run of ${plural(containers, "container")} needs ${needed} file descriptors, and ${limit} are allowed: raise the limit ('ulimit -n ${needed + descriptors.forConnections}')`,
  );
}
