/** Queries the containers' kernels about the two ends of a connection that is being made. */
import { hostOf } from "../base/units.ts";
import { type Subnet, subnetFor } from "../net/subnet.ts";
import type { Connection } from "../pipe/core/connection.ts";
import type { Namespace } from "../sys/namespace.ts";
import { SocketDiagnoses } from "../sys/sock-diag.ts";

export class ClientSockets {
  readonly #subnets: readonly Subnet[];
  readonly #diagnoses: SocketDiagnoses;

  /** `networks` are the containers', by index. */
  constructor(subnets: readonly Subnet[], networks: readonly (Namespace | undefined)[]) {
    this.#subnets = subnets;
    this.#diagnoses = new SocketDiagnoses(networks);
  }

  /**
   * Whether the client's socket waits for an answer to its SYN. False also if the kernel cannot
   * say.
   */
  isConnecting({ family, client, clientPort, server, serverPort }: Connection): boolean {
    const subnet = subnetFor(this.#subnets, family);
    const local = { address: subnet.addressBytes(hostOf(client)), port: clientPort };
    const remote = { address: subnet.addressBytes(hostOf(server)), port: serverPort };
    return this.#diagnoses.of(client)?.isConnecting(family, local, remote) ?? false;
  }

  /** Whether the server's kernel drops SYNs. False also if it cannot say. */
  isBacklogFull({ family, server, serverPort }: Connection): boolean {
    const address = subnetFor(this.#subnets, family).addressBytes(hostOf(server));
    return (
      this.#diagnoses.of(server)?.isBacklogFull(family, { address, port: serverPort }) ?? false
    );
  }

  close(): void {
    this.#diagnoses.close();
  }
}
