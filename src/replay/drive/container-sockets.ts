/** Asks the kernels of the containers about the sockets of live processes. */
import type { ContainerIndex } from "../../base/ids.ts";
import { type Family, hostOf, type Port } from "../../base/units.ts";
import { Direction } from "../../base/direction.ts";
import type { Connection } from "../../pipe/core/connection.ts";
import type { DatagramFlow } from "./datagram-pace.ts";
import { type Subnet, subnetFor } from "../../net/subnet.ts";
import type { Namespace } from "../../sys/namespace.ts";
import { SocketDiagnoses } from "../../sys/sock-diag.ts";
import type { Endpoint } from "../../sys/socket.ts";

/** The properties of a live connection that the kernels need. */
export interface LiveSide {
  /** The connection as the kernels know it, with the ports of this run. */
  readonly wire: Connection;
  /** The direction in which the process sends. */
  readonly direction: Direction;
}

export class ContainerSockets {
  readonly #subnets: readonly Subnet[];
  readonly #diagnoses: SocketDiagnoses;

  /** `networks` are the containers' network namespaces, by index. */
  constructor(subnets: readonly Subnet[], networks: readonly (Namespace | undefined)[]) {
    this.#subnets = subnets;
    this.#diagnoses = new SocketDiagnoses(networks);
  }

  /** How many bytes of this connection wait in the kernel for the process to read them. */
  unreadBytes({ wire, direction }: LiveSide): number {
    const isClient = direction === Direction.toServer;
    const diagnosis = this.#diagnoses.of(isClient ? wire.client : wire.server);
    if (!diagnosis) return 0;
    const subnet = subnetFor(this.#subnets, wire.family);
    const client = { address: subnet.addressBytes(hostOf(wire.client)), port: wire.clientPort };
    const server = { address: subnet.addressBytes(hostOf(wire.server)), port: wire.serverPort };
    return isClient
      ? diagnosis.unreadBytes(wire.family, client, server)
      : diagnosis.unreadBytes(wire.family, server, client);
  }

  /** How many bytes wait in the socket that receives a flow's datagrams; undefined if unknown. */
  queuedBytes(flow: DatagramFlow): number | undefined {
    const { local, remote } = this.#endsOf(flow);
    return this.#diagnoses.of(flow.receiver)?.queuedBytes(flow.family, local, remote);
  }

  /** Whether a socket receives a flow's datagrams; undefined if unknown. */
  isBound(flow: DatagramFlow): boolean | undefined {
    const { local, remote } = this.#endsOf(flow);
    return this.#diagnoses.of(flow.receiver)?.isBound(flow.family, local, remote);
  }

  #endsOf({ family, sender, sourcePort, receiver, destinationPort }: DatagramFlow): {
    readonly local: Endpoint;
    readonly remote: Endpoint;
  } {
    const subnet = subnetFor(this.#subnets, family);
    return {
      local: { address: subnet.addressBytes(hostOf(receiver)), port: destinationPort },
      remote: { address: subnet.addressBytes(hostOf(sender)), port: sourcePort },
    };
  }

  /** Whether any process in the container listens on this TCP port. */
  listens(container: ContainerIndex, family: Family, port: Port): boolean {
    const address = subnetFor(this.#subnets, family).addressBytes(hostOf(container));
    return this.#diagnoses.of(container)?.listens(family, { address, port }) ?? false;
  }

  /** Whether a listener in the container drops SYNs because its backlog is full. */
  isBacklogFull(container: ContainerIndex, family: Family, port: Port): boolean {
    const address = subnetFor(this.#subnets, family).addressBytes(hostOf(container));
    return this.#diagnoses.of(container)?.isBacklogFull(family, { address, port }) ?? false;
  }

  /** The TCP ports on which any process in the container listens. */
  listeningPorts(container: ContainerIndex): readonly Port[] {
    const diagnosis = this.#diagnoses.of(container);
    // An IPv6 socket that listens on all addresses also takes IPv4.
    return [...new Set(([4, 6] as const).flatMap((one) => diagnosis?.listeningPorts(one) ?? []))];
  }

  close(): void {
    this.#diagnoses.close();
  }
}
