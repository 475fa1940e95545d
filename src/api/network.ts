/** The network of a run: its subnets and its links. */
import { UsageError } from "../base/errors.ts";
import { Subnet, ulaFor } from "../net/subnet.ts";
import type { ContainerPlan } from "../sandbox/network/topology.ts";
import { hasIpv6 } from "../sandbox/network/space.ts";
import type { LinkSetup } from "../switch/core/link-plan.ts";
import { parseLink } from "../switch/core/link-spec.ts";

/** The addresses of a recording's containers. */
export interface SubnetSettings {
  /**
   * The subnet that the containers are numbered from, in CIDR notation, of either IP version.
   * @default "10.0.0.0/24"
   */
  readonly subnet?: string | undefined;
  /** The IPv6 subnet, if `subnet` is one of IPv4. @default one that is derived from `subnet` */
  readonly subnet6?: string | undefined;
  /** Whether the containers have IPv6 addresses as well. @default true */
  readonly ipv6?: boolean | undefined;
}

/** The subnets of a run: the given one and, for IPv4, an IPv6 subnet unless it is declined. */
export function subnetsOf({
  subnet = "10.0.0.0/24",
  subnet6,
  ipv6 = true,
}: SubnetSettings): readonly Subnet[] {
  const first = Subnet.parse(subnet);
  if (first.family === 6) {
    if (subnet6 === undefined) return [first];
    throw new UsageError("is not needed: the first subnet is one of IPv6", { argument: "subnet6" });
  }
  if (!ipv6 || !hasIpv6()) return [first];
  const second = subnet6 === undefined ? ulaFor(first) : Subnet.parse(subnet6);
  if (second.family === 6) return [first, second];
  throw new UsageError(`'${subnet6}' is not an IPv6 subnet`, { argument: "subnet6" });
}

/** The most links, which a dump's header has room for. */
const mostLinks = 32;

/**
 * The links that `texts` describe; undefined if there are none. Their losses and jitter follow from
 * `seed`. For `atBothEnds`, see {@link LinkSetup}.
 */
export function linksOf(
  texts: readonly string[] = [],
  containers: readonly ContainerPlan[],
  seed: number,
  atBothEnds: boolean,
): LinkSetup | undefined {
  if (texts.length === 0) return undefined;
  if (texts.length > mostLinks)
    throw new UsageError(`${texts.length} links are too many: use '*' for any container`);
  const names = containers.map(({ name }) => name);
  return { specs: texts.map((text) => parseLink(text, names)), seed, atBothEnds };
}
