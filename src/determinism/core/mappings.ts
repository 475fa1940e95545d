/** A process' memory mappings, as /proc/PID/maps lists them (proc_pid_maps(5)), and which code an address is in. */

interface Mapping {
  readonly start: number;
  readonly end: number;
  /** What a file's code is called: its name and the offset of `start` in it. Undefined for other memory. */
  readonly code: { readonly file: string; readonly offset: number } | undefined;
}

const line = /^([0-9a-f]+)-([0-9a-f]+) ..(.). ([0-9a-f]+) \S+ \d+ *(.*)$/gm;

export class Mappings {
  readonly #sorted: readonly Mapping[];

  /** `text` is what /proc/PID/maps says: sorted by address. */
  constructor(text: string) {
    this.#sorted = Array.from(
      text.matchAll(line),
      ([, start = "", end = "", x, offset = "", path = ""]) => ({
        start: Number.parseInt(start, 16),
        end: Number.parseInt(end, 16),
        // Code that has no file (a just-in-time compiler's) lies elsewhere each time.
        code:
          x === "x" && path.startsWith("/")
            ? { file: path.slice(path.lastIndexOf("/") + 1), offset: Number.parseInt(offset, 16) }
            : undefined,
      }),
    );
  }

  /** Whether anything is mapped at this address. */
  has(address: number): boolean {
    return this.#at(address) !== undefined;
  }

  /** The file that is mapped lowest: the program itself, as Linux lays it out. */
  get program(): string | undefined {
    return this.#sorted.find(({ code }) => code)?.code?.file;
  }

  /** The name of the file whose code is at this address. */
  fileAt(address: number): string | undefined {
    return this.#at(address)?.code?.file;
  }

  /** Which place of which file's code is at this address, wherever that is mapped; undefined if none is. */
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
