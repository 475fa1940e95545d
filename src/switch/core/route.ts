/**
 * Decides where a packet goes. Pure and stateless, since container i has host number i+1.
 *
 * A verdict is a number, so that nothing is allocated: a container's index, or one of {@link
 * Verdict}.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Family } from "../../base/units.ts";
import { IPPROTO_TCP, type PacketView } from "../../net/packet.ts";
import { noHost, type Subnet } from "../../net/subnet.ts";

export const Verdict = {
  /** TCP between two containers: to the pipe space. */
  pipe: -1,
  /** Broadcast or multicast: to all containers except the sender. */
  everyone: -2,
  /** No container has this address. */
  unreachable: -3,
  /** Not from the sender's own address, or of a family or network that is not routed here. */
  foreign: -4,
} as const;

/** Whether the verdict is a container's index. */
export function isContainer(verdict: number): verdict is ContainerIndex {
  return verdict >= 0;
}

export class Routes {
  readonly #subnets: Partial<Record<Family, Subnet>>;
  readonly #containers: number;

  constructor(subnets: readonly Subnet[], containers: number) {
    this.#subnets = Object.fromEntries(subnets.map((subnet) => [subnet.family, subnet]));
    this.#containers = containers;
  }

  subnet(family: Family): Subnet | undefined {
    return this.#subnets[family];
  }

  /** The verdict on a packet from container `from`. */
  fromContainer(view: PacketView, bytes: Uint8Array, from: ContainerIndex): number {
    const subnet = this.#subnets[view.family];
    if (!subnet) return Verdict.foreign;
    if (subnet.hostNumberAt(bytes, view.sourceAt) !== from + 1) return Verdict.foreign;
    const host = subnet.hostNumberAt(bytes, view.destinationAt);
    if (host >= 1 && host <= this.#containers)
      return view.protocol === IPPROTO_TCP ? Verdict.pipe : host - 1;
    if (reachesEveryone(view, bytes, host, subnet)) return Verdict.everyone;
    return host === noHost ? Verdict.foreign : Verdict.unreachable;
  }

  /** The verdict on a packet from the pipe space: only TCP to a container passes. */
  fromPipeSpace(view: PacketView, bytes: Uint8Array): number {
    const subnet = this.#subnets[view.family];
    if (!subnet || view.protocol !== IPPROTO_TCP) return Verdict.foreign;
    if (!subnet.contains(bytes, view.sourceAt)) return Verdict.foreign;
    const host = subnet.hostNumberAt(bytes, view.destinationAt);
    return host >= 1 && host <= this.#containers ? host - 1 : Verdict.unreachable;
  }
}

/**
 * Whether an address is a subnet's broadcast, the limited broadcast or a multicast group (RFC 1112,
 * RFC 4291).
 */
function reachesEveryone(
  view: PacketView,
  bytes: Uint8Array,
  host: number,
  subnet: Subnet,
): boolean {
  const first = bytes[view.destinationAt] ?? 0;
  if (view.family === 6) return first === 0xff;
  if (host === subnet.capacity + 1) return true;
  return (first & 0xf0) === 0xe0 || (first === 0xff && bytes[view.destinationAt + 3] === 0xff);
}
