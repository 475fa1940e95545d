/**
 * Names of containers: what people write in a compose file. A name stands in /etc/hosts, in URLs,
 * and on terminals. It keeps its case, which makes no difference, as in host names (RFC 4343).
 */

import type { ContainerIndex } from "./ids.ts";

export const longestName = 63;

const pattern = /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$/i;
/** The resolver takes these for addresses, and never looks them up (inet_aton(3)). */
const addressLike = /^\d+(\.\d+)+$/;

/** Whether a container can be called `name`. */
export function isContainerName(name: string): boolean {
  return (
    name.length <= longestName &&
    pattern.test(name) &&
    !addressLike.test(name) &&
    foldName(name) !== "localhost"
  );
}

/** The same text for names that are the same but for their case. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

export function isSameName(a: string | undefined, b: string): boolean {
  return a !== undefined && foldName(a) === foldName(b);
}

/** The container that is called `name`, if `names` are the containers' names by index. */
export function indexOfName(names: readonly string[], name: string): ContainerIndex | undefined {
  const index = names.findIndex((one) => isSameName(one, name));
  return index < 0 ? undefined : index;
}

/** The one of `names` that means the same as `name`, as it is written there. */
export function nameAmong(names: readonly string[], name: string): string | undefined {
  return names.find((one) => isSameName(one, name));
}
