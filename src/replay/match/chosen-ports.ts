/**
 * Maps ports that a live process chose itself. It is pure.
 *
 * In FTP's active mode, in RPC, or with port 0, a process listens on a free port and sends its
 * number to a peer, which then connects to it. The number differs in every run. Suppose the
 * recording connects to a port of a live process on which nobody listens, while the process listens
 * on a port that the recording does not have. Then the new port takes the place of the recorded
 * one, both for the connection and in the bytes that the process sends.
 */
import type { ContainerIndex } from "../../base/ids.ts";
import type { Port } from "../../base/units.ts";
import type { RecordingIndex } from "../../recording/recording.ts";
import type { Equivalent } from "../compare/equivalents.ts";

/** The first port that Linux chooses itself: net.ipv4.ip_local_port_range. */
const firstChosen = 32_768;

/** One port, as recorded and in this run. */
interface ChosenPort {
  readonly recorded: Port;
  readonly now: Port;
}

export class ChosenPorts {
  /** By container: the ports on which it accepted connections in the recording. */
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
   * The port to connect to instead of `recorded`, when the process listens on `listening`.
   * Undefined if `recorded` needs no substitute or has none.
   */
  portFor(container: ContainerIndex, recorded: Port, listening: readonly Port[]): Port | undefined {
    if (listening.includes(recorded) || recorded < firstChosen) return undefined;
    const known = this.#knownOf(container).find((one) => one.recorded === recorded);
    if (known !== undefined && listening.includes(known.now)) return known.now;
    const [now] = this.#newPorts(container, listening);
    if (now !== undefined) this.#note(container, recorded, now);
    return now;
  }

  /** Whether the process accepted connections on a port that it may have chosen itself. */
  has(container: ContainerIndex): boolean {
    return [...(this.#recorded.get(container) ?? [])].some((port) => port >= firstChosen);
  }

  /**
   * What a process may send in place of a recorded port's number, in each notation that protocols
   * use.
   */
  equivalents(container: ContainerIndex, listening: readonly Port[]): Equivalent[] {
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

  #knownOf(container: ContainerIndex): readonly ChosenPort[] {
    return this.#chosen.get(container) ?? [];
  }

  /** Ports that are not in the recording and do not stand for a recorded one yet. */
  #newPorts(container: ContainerIndex, listening: readonly Port[]): Port[] {
    const recorded = this.#recorded.get(container);
    const known = this.#knownOf(container);
    return listening.filter(
      (port) =>
        port >= firstChosen &&
        recorded?.has(port) !== true &&
        !known.some(({ now }) => now === port),
    );
  }

  #note(container: ContainerIndex, recorded: Port, now: Port): void {
    const others = this.#knownOf(container).filter((one) => one.recorded !== recorded);
    this.#chosen.set(container, [...others, { recorded, now }]);
  }
}

/** A decimal number, the notation of PORT in RFC 959, and two bytes in network order. */
const notations: readonly ((port: Port) => Uint8Array)[] = [
  (port) => latin1Bytes(String(port)),
  (port) => latin1Bytes(`${port >> 8},${port & 0xff}`),
  (port) => Uint8Array.of(port >> 8, port & 0xff),
];

function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
