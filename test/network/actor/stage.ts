/**
 * What a role of a scenario finds: its addresses, sockets, a place to say what it sees, and a way
 * to meet its partner. The two meet on a connection of their own, so that in a replay, where each
 * plays alone, the order of things is in the recording.
 */
import { appendFileSync, existsSync, writeFileSync, writeSync } from "node:fs";
import type { Family } from "../../../src/base/units.ts";
import * as abi from "../../../src/sys/abi.ts";
import * as more from "./abi.ts";
import { type Endpoint, openSockets, type Outcome, Socket } from "./sockets.ts";

export type Role = "server" | "client";

/** Who is where, in one family. */
export interface Places {
  readonly family: Family;
  readonly server: string;
  readonly client: string;
  /** An address of the subnet that nobody has. */
  readonly nobody: string;
}

/**
 * Each scene has ten ports of its own, from here on, and a source port; they are named after the
 * first's.
 */
const firstPorts = { server: 7000, source: 4711 };
const portsOfScene = 10;
/** Where the partners meet. */
export const meetingPort = 6999;

/** Which scene a port of the server belongs to; negative for none. */
export function sceneOf(port: number): number {
  return Math.floor((port - firstPorts.server) / portsOfScene);
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

export class Stage {
  readonly family: Family;
  readonly here: string;
  readonly there: string;
  readonly nobody: string;
  readonly #places: Places;
  readonly #meeting: Socket;
  readonly #figures: string;
  #title = "";
  #scene = 0;

  /** @param ready A file that says that the server can be met. */
  constructor(role: Role, places: Places, ready: string) {
    this.#places = places;
    this.#figures = `${ready}.figures`;
    this.family = places.family;
    this.here = places[role];
    this.there = places[role === "server" ? "client" : "server"];
    this.nobody = places.nobody;
    this.#meeting = role === "server" ? this.#waitForClient(ready) : this.#comeToServer(ready);
    this.#meeting.set(abi.IPPROTO_TCP, abi.TCP_NODELAY);
  }

  /** The scenario's own port. */
  get port(): number {
    return firstPorts.server + this.#scene * portsOfScene;
  }

  /** A port to connect from. */
  get sourcePort(): number {
    return firstPorts.source + this.#scene * portsOfScene;
  }

  /** Plays one scene: what was left open by those before is closed by now, at both ends. */
  play(title: string, scene: number, act: (stage: Stage) => void): void {
    this.#title = title;
    this.#scene = scene;
    act(this);
    this.meet();
    for (const socket of openSockets) if (socket !== this.#meeting) socket.close();
    this.meet();
  }

  /** Prints what was seen. */
  say(what: string, saw: string | number | boolean): void {
    writeSync(1, `${this.#title} IPv${this.family} ${what}: ${String(saw)}\n`);
  }

  /** Keeps a figure, which differs from run to run, out of what is compared. */
  measure(what: string, value: number): void {
    appendFileSync(this.#figures, `${JSON.stringify({ family: this.family, what, value })}\n`);
  }

  /** Returns when the partner has come to the same point, with its word: one letter. */
  meet(word = "."): string {
    const sent = this.#meeting.send(word);
    const answer = this.#meeting.receive(1);
    const [, partnersWord] = /^"(.)"$/.exec(answer) ?? [];
    if (sent !== "ok" || partnersWord === undefined)
      throw new Error(`the partner did not come: ${sent}, ${answer}`);
    return partnersWord;
  }

  hold(timeMs: number): void {
    Atomics.wait(sleeper, 0, 0, timeMs);
  }

  /** Tries again until it is `wanted` or some seconds have passed. Returns the last outcome. */
  until(wanted: Outcome, attempt: () => Outcome): Outcome {
    const untilMs = performance.now() + 5000;
    for (;;) {
      const outcome = attempt();
      if (outcome === wanted || performance.now() > untilMs) return outcome;
      this.hold(5);
    }
  }

  socket(): Socket {
    return Socket.open(this.family);
  }

  /** A socket that never waits. */
  nonBlocking(): Socket {
    return Socket.open(this.family, true);
  }

  /** A socket that listens on this host's own address. */
  listen(on: number = this.port, backlog = 128): Socket {
    const listener = this.socket();
    listener.set(abi.SOL_SOCKET, more.SO_REUSEADDR);
    const bound = listener.bind({ address: this.here, port: on });
    if (bound !== "ok") throw new Error(`cannot bind port ${on}: ${bound}`);
    listener.listen(backlog);
    return listener;
  }

  /** A socket that is connected with the partner, where nothing else is expected. */
  dial(to: number = this.port): Socket {
    const socket = this.socket();
    const connected = socket.connect({ address: this.there, port: to });
    if (connected !== "ok") throw new Error(`cannot connect to port ${to}: ${connected}`);
    return socket;
  }

  /**
   * An address without what changes from one network to another: "server:7000",
   * "client:(ephemeral)".
   */
  nameOf(endpoint: Endpoint | string): string {
    if (typeof endpoint === "string") return endpoint;
    const { server, client } = this.#places;
    const mapped = endpoint.address.startsWith("::ffff:") ? "::ffff:" : "";
    const address = endpoint.address.slice(mapped.length);
    const name = address === server ? "server" : address === client ? "client" : address;
    const port = endpoint.port - this.#scene * portsOfScene;
    return `${mapped}${name}:${port < 10_000 ? port : "(ephemeral)"}`;
  }

  #waitForClient(ready: string): Socket {
    const listener = this.listen(meetingPort);
    writeFileSync(ready, "");
    const partner = listener.accept();
    listener.close();
    return partner;
  }

  #comeToServer(ready: string): Socket {
    while (!existsSync(ready)) this.hold(5);
    return this.dial(meetingPort);
  }
}
