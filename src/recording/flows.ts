/**
 * Flows of packets that are not TCP: those of one protocol from one address and port to another.
 */
import type { ContainerIndex } from "../base/ids.ts";
import type { Family } from "../base/units.ts";
import { IPPROTO_UDP, type PacketView } from "../net/packet.ts";
import { read16 } from "../net/wire.ts";

export interface Flow {
  readonly sender: ContainerIndex;
  /** May be `everyone`. */
  readonly receiver: ContainerIndex;
  readonly family: Family;
  readonly protocol: number;
  /** 0 where the protocol has no ports, and in later fragments. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

const udpHeaderBytes = 8;

/** The flow of the packet that `view` has parsed, which lies in `bytes`. */
export function flowOf(
  view: PacketView,
  bytes: Uint8Array,
  sender: ContainerIndex,
  receiver: ContainerIndex,
): Flow {
  const { family, protocol, transportAt, headerAt, totalBytes, fragmentOffset } = view;
  const hasPorts =
    protocol === IPPROTO_UDP &&
    fragmentOffset === 0 &&
    transportAt + udpHeaderBytes <= headerAt + totalBytes;
  return {
    sender,
    receiver,
    family,
    protocol,
    sourcePort: hasPorts ? read16(bytes, transportAt) : 0,
    destinationPort: hasPorts ? read16(bytes, transportAt + 2) : 0,
  };
}

/** The flow of a packet that cannot be parsed. */
export function unknownFlow(sender: ContainerIndex, receiver: ContainerIndex): Flow {
  return { sender, receiver, family: 4, protocol: 0, sourcePort: 0, destinationPort: 0 };
}

/** Tells flows apart. */
export function flowKey(flow: Flow): string {
  return `${pathKey(flow)} ${flow.sourcePort} ${flow.destinationPort}`;
}

/** The same for flows that differ in their ports only. */
export function pathKey({ sender, receiver, family, protocol }: Flow): string {
  return `${sender} ${receiver} ${family} ${protocol}`;
}

/** Flows with ports of their own are numbered up to this; a port scan must not take all memory. */
const mostFlows = 0x1_0000;

/** Numbers flows as they come. */
export class FlowTable {
  readonly list: Flow[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(flow: Flow): number {
    const known = this.#numbers.get(flowKey(flow));
    if (known !== undefined) return known;
    const isNumbered = this.list.length < mostFlows || flow.sourcePort + flow.destinationPort === 0;
    return isNumbered
      ? this.#add(flow)
      : this.numberOf({ ...flow, sourcePort: 0, destinationPort: 0 });
  }

  #add(flow: Flow): number {
    const number = this.list.length;
    this.list.push(flow);
    this.#numbers.set(flowKey(flow), number);
    return number;
  }
}
