/** Maps the hosts of a capture to containers, and names them. Pure. */
import { foldName, isContainerName, longestName } from "../../base/container-name.ts";
import { UsageError } from "../../base/errors.ts";
import type { ContainerInfo } from "../../dump/format/schema.ts";
import { formatAddress, parseAddress } from "../../net/address.ts";

/** Containers of an imported recording. */
export interface ImportedContainers {
  readonly containers: readonly ContainerInfo[];
  /** By host number: the container, or -1 for a host that takes no part. */
  readonly containerOf: Int32Array;
}

/**
 * Creates a container for every host that takes part. Hosts with the same name become one container
 * with several addresses. `names` holds names by address, as text.
 */
export function containersFor(
  addresses: readonly Uint8Array[],
  takesPart: (host: number) => boolean,
  names: ReadonlyMap<string, string>,
): ImportedContainers {
  const containerOf = new Int32Array(addresses.length).fill(-1);
  const byName = new Map<string, number>();
  const containers: { name: string; command: string; addresses: string[] }[] = [];
  for (const [host, address] of addresses.entries()) {
    if (!takesPart(host)) continue;
    const text = textOf(address);
    const name = names.get(text) ?? nameOfAddress(text);
    let container = byName.get(foldName(name));
    if (container === undefined) {
      container = containers.length;
      byName.set(foldName(name), container);
      containers.push({ name, command: "", addresses: [] });
    }
    containers[container]?.addresses.push(text);
    containerOf[host] = container;
  }
  return { containers, containerOf };
}

export function textOf(address: Uint8Array): string {
  return formatAddress(address, 0, address.length === 4 ? 4 : 6);
}

/** Derives a container's name from a host name in a capture; undefined if that is impossible. */
export function containerNameFrom(text: string): string | undefined {
  if (isContainerName(text)) return text;
  const name = text
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, longestName)
    .replaceAll(/^-+|-+$/g, "");
  return isContainerName(name) ? name : undefined;
}

/** `10-1-2-3`. The letters distinguish addresses that differ only in the position of "::". */
function nameOfAddress(text: string): string {
  return containerNameFrom(text.replaceAll("::", "-x-")) ?? "host";
}

/** Parses names given as `10.1.2.3=db`. Returns them by address. Throws a {@link UsageError}. */
export function hostNames(texts: readonly string[]): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf("=");
      const address = parseAddress(text.slice(0, Math.max(at, 0)));
      const name = text.slice(at + 1);
      if (at < 0 || address === undefined)
        throw new UsageError(`'${text}' names no address: write it like 10.1.2.3=db`);
      if (!isContainerName(name))
        throw new UsageError(
          `'${name}' cannot be a container's name: use up to ${longestName} letters, digits, '-', '_' and '.', but no address`,
        );
      return [textOf(address), name];
    }),
  );
}
