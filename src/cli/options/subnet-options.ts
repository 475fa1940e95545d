/** The options `-s`, `--subnet6` and `--no-ipv6`: the addresses of a recording's containers. */
import { subnetsOf } from "../../api/network.ts";
import { UsageError } from "../../base/errors.ts";
import { Subnet } from "../../net/subnet.ts";

export interface SubnetOptions {
  readonly subnet: string;
  readonly subnet6?: string | undefined;
  /** commander represents `--no-ipv6` as `false`. */
  readonly ipv6: boolean;
}

/** Parses the subnets of a run: see {@link subnetsOf}. */
export function parseSubnets(options: SubnetOptions): readonly Subnet[] {
  const { subnet, subnet6, ipv6 } = options;
  if (!ipv6 && subnet6 !== undefined)
    throw new UsageError("--subnet6 and --no-ipv6 exclude each other");
  if (subnet6 !== undefined && Subnet.parse(subnet).family === 6)
    throw new UsageError("-s is an IPv6 subnet already: leave out --subnet6");
  return subnetsOf(options);
}
