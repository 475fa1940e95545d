/**
 * A process's memory mappings from /proc/PID/maps (proc_pid_maps(5)), to find the code at an
 * address.
 */

interface Mapping {
  readonly start: number;
  readonly end: number;
  /** For code of a file: its name, and the offset of `start` in it. Undefined for other memory. */
  readonly code: { readonly file: string; readonly offset: number } | undefined;
}

const line = /^([0-9a-f]+)-([0-9a-f]+) ..(.). ([0-9a-f]+) \S+ \d+ *(.*)$/gm;

export class Mappings {
  readonly #sorted: readonly Mapping[];

  /** `text` is the content of /proc/PID/maps, which is sorted by address. */
  constructor(text: string) {
    this.#sorted = Array.from(
      text.matchAll(line),
      ([, start = "", end = "", x, offset = "", path = ""]) => ({
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        // Code without a file (from a just-in-time compiler) has a different address each time.
        code:
          x === "x" && path.startsWith("/")
            ? { file: path.slice(path.lastIndexOf("/") + 1), offset: Number.parseInt(offset, 16) }
            : undefined,
      }),
    );
  }

  /** Whether this address is mapped. */
  has(address: number): boolean {
    return this.#at(address) !== undefined;
  }

  /** The file with the lowest mapped code: the program itself, in Linux's layout. */
  get program(): string | undefined {
    return this.#sorted.find(({ code }) => code)?.code?.file;
  }

  /** The name of the file whose code is at this address. */
  fileAt(address: number): string | undefined {
    return this.#at(address)?.code?.file;
  }

  /**
   * The file and offset of the code at this address, independent of where the file is mapped;
   * undefined if there is no code.
   */
  codeAt(address: number): string | undefined {
    const mapping = this.#at(address);
    if (!mapping?.code) return undefined;
    const { file, offset } = mapping.code;
    return `${file}+${(address - mapping.start + offset).toString(16)}`;
  }

  #at(address: number): Mapping | undefined {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const mapping = this.#sorted[middle];
      if (!mapping || address < mapping.start) high = middle;
      else if (address >= mapping.end) low = middle + 1;
      else return mapping;
    }
    return undefined;
  }
}
