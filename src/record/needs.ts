/**
 * Starts a command only when the servers that it needs listen.
 *
 * plg asks the kernel about listening sockets (sock_diag(7)) in the server's namespace, so no
 * server sees a connection that no client made.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerIndex } from "../base/ids.ts";
import type { CommandRun, StartGate } from "../sandbox/processes/run.ts";
import type { ContainerPlan } from "../sandbox/network/topology.ts";
import type { Playground } from "../sandbox/playground.ts";
import { SocketDiagnoses } from "../sys/sock-diag.ts";

/** `container` starts when something in `server` listens on `port`. Both are indices. */
export interface Need {
  readonly container: ContainerIndex;
  readonly server: ContainerIndex;
  readonly port: number;
}

const lookEveryMs = 20;
const noAnswer =
  "this kernel does not say who listens (CONFIG_INET_DIAG), so leave out its needs and hold connections instead";
const families = [4, 6] as const;

/** Holds back the commands that have needs, until they are met or {@link close}. */
export class StartOrder {
  readonly #needs: readonly Need[];
  readonly #containers: readonly ContainerPlan[];
  readonly #run: CommandRun;
  readonly #diagnoses: SocketDiagnoses;
  #closed = false;

  constructor(parts: {
    readonly needs: readonly Need[];
    readonly containers: readonly ContainerPlan[];
    readonly playground: Playground;
    readonly commandRun: CommandRun;
  }) {
    this.#needs = parts.needs;
    this.#containers = parts.containers;
    this.#run = parts.commandRun;
    this.#diagnoses = new SocketDiagnoses(parts.playground.task.namespaces);
  }

  readonly gate: StartGate = (container) => {
    const own = this.#needs.filter((need) => need.container === container);
    return own.length === 0 ? undefined : this.#untilMet(own);
  };

  close(): void {
    this.#closed = true;
    this.#diagnoses.close();
  }

  /** Settles when all needs are met, or with the reason why one never will be. */
  async #untilMet(needs: readonly Need[]): Promise<string | undefined> {
    for (const need of needs) {
      if (this.#diagnoses.of(need.server)?.isAvailable === false) return noAnswer;
      while (!this.#closed && !this.#isMet(need)) {
        if (this.#isGone(need)) return this.#describe(need);
        await sleep(lookEveryMs, undefined, { ref: false });
      }
    }
    return undefined;
  }

  #isMet({ server, port }: Need): boolean {
    const diagnosis = this.#diagnoses.of(server);
    return families.some((family) =>
      diagnosis?.listeningPorts(family).some((listening) => listening === port),
    );
  }

  /** Whether the server's command has ended and left no process that might still listen. */
  #isGone({ server }: Need): boolean {
    const command = this.#run.commands.find(({ plan }) => plan.index === server);
    return command?.end !== undefined && !this.#run.hasProcesses(server);
  }

  #describe({ server, port }: Need): string {
    const name = this.#containers[server]?.name ?? "";
    return `it needs ${name}:${port}, but ${name} ended without listening there`;
  }
}
