import { assert } from "../base/assert.ts";
import type { Family } from "../base/units.ts";
import { Masquerade } from "../net/masquerade.ts";
import { pipeNetworkOf, type Subnet } from "../net/subnet.ts";

/** One IP family of the playground: the subnet of the containers and the pipe network it is exchanged for. */
export interface Lane {
  readonly family: Family;
  readonly subnet: Subnet;
  readonly pipeNetwork: Subnet;
  readonly masquerade: Masquerade;
}

/** The lane of a subnet. */
export function laneOf(subnet: Subnet): Lane {
  const pipeNetwork = pipeNetworkOf(subnet);
  const masquerade = new Masquerade(subnet, pipeNetwork);
  return { family: subnet.family, subnet, pipeNetwork, masquerade };
}

/** The lane of a family. What was let in from it, or recorded, has one. */
export function laneFor(lanes: readonly Lane[], family: Family): Lane {
  const lane = lanes.find((candidate) => candidate.family === family);
  assert(lane, `there is a lane for IPv${family}`);
  return lane;
}
