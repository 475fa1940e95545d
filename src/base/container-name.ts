/**
 * Names of containers: what people write in a compose file. A name stands in /etc/hosts, in URLs,
 * and on terminals. It keeps its case, which makes no difference, as in host names (RFC 4343).
 */

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

/** Where `name` is among `names`; -1 if it is not. */
export function indexOfName(names: readonly string[], name: string): number {
  return names.findIndex((one) => isSameName(one, name));
}
