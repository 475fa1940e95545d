/**
 * Ports that a live process chose itself: pure. In FTP's active mode, in RPC, or with port 0, a process
 * listens on a free port and sends its number to its peer, which connects to it. The number differs in
 * every run. So where the recording connects to a port of a live process on which nobody listens, and
 * it listens on one that the recording does not have, the latter takes the place of the former: for
 * the connection, and in the bytes that the process sends.
 */
import type { Port } from "../../base/units.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Equivalent } from "../compare/equivalents.ts";

/** Where Linux begins with the ports that it chooses: net.ipv4.ip_local_port_range. */
const firstChosen = 32_768;

/** The same port, as it was recorded and as it is now. */
interface ChosenPort {
  readonly recorded: Port;
  readonly now: Port;
}

export class ChosenPorts {
  /** By container: the ports that it was connected to in the recording. */
  readonly #recorded = new Map<number, Set<Port>>();
  /** By container. */
  readonly #chosen = new Map<number, ChosenPort[]>();

  constructor({ connections }: RecordingIndex) {
    for (let number = 1; number <= connections.count; number++) {
      if (connections.outcome(number) !== "accepted") continue;
      const server = connections.server(number);
      const ports = this.#recorded.get(server) ?? new Set<Port>();
      this.#recorded.set(server, ports.add(connections.serverPort(number)));
    }
  }

  /**
   * The port to connect to instead of the `recorded` one, where the process listens on the ports
   * `listening`; undefined if it is that one, or none.
   */
  portFor(container: number, recorded: Port, listening: readonly Port[]): Port | undefined {
    if (listening.includes(recorded) || recorded < firstChosen) return undefined;
    const known = this.#knownOf(container).find((one) => one.recorded === recorded);
    if (known !== undefined && listening.includes(known.now)) return known.now;
    const [now] = this.#newPorts(container, listening);
    if (now !== undefined) this.#note(container, recorded, now);
    return now;
  }

  /** Whether the process was connected to on a port that it may have chosen. */
  has(container: number): boolean {
    return [...(this.#recorded.get(container) ?? [])].some((port) => port >= firstChosen);
  }

  /** What a process may send instead of a recorded port's number, in the ways that protocols write it. */
  equivalents(container: number, listening: readonly Port[]): Equivalent[] {
    const absent = [...(this.#recorded.get(container) ?? [])].filter(
      (port) => port >= firstChosen && !listening.includes(port),
    );
    const pairs = absent.flatMap((recorded) =>
      this.#newPorts(container, listening).map((now) => ({ recorded, now })),
    );
    return [...this.#knownOf(container), ...pairs].flatMap(({ recorded, now }) =>
      notations.map((write) => ({
        recorded: write(recorded),
        live: write(now),
        confirm: () => this.#note(container, recorded, now),
      })),
    );
  }

  #knownOf(container: number): readonly ChosenPort[] {
    return this.#chosen.get(container) ?? [];
  }

  /** Ports that neither the recording has nor another one stands for. */
  #newPorts(container: number, listening: readonly Port[]): Port[] {
    const recorded = this.#recorded.get(container);
    const known = this.#knownOf(container);
    return listening.filter(
      (port) =>
        port >= firstChosen &&
        recorded?.has(port) !== true &&
        !known.some(({ now }) => now === port),
    );
  }

  #note(container: number, recorded: Port, now: Port): void {
    const others = this.#knownOf(container).filter((one) => one.recorded !== recorded);
    this.#chosen.set(container, [...others, { recorded, now }]);
  }
}

/** As a number; as RFC 959 has it in PORT; and as two bytes in network order. */
const notations: readonly ((port: Port) => Uint8Array)[] = [
  (port) => latin1Bytes(String(port)),
  (port) => latin1Bytes(`${port >> 8},${port & 0xff}`),
  (port) => Uint8Array.of(port >> 8, port & 0xff),
];

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
