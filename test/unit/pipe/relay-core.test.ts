// Playbooks: what happens to a relay's two connections on the left, what it does about it on the
// right.
import { describe, expect, it } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import { Action, RelayCore } from "../../../src/pipe/core/relay-core.ts";

type Happening =
  | `${"client" | "server"} ends`
  | `${"client" | "server"} ends, bytes wait`
  | `${"client" | "server"} has taken all`
  | `${"client" | "server"} resets`;

type Playbook = readonly (readonly [Happening, string])[];

const names: readonly (readonly [number, string])[] = [
  [Action.shutdown, "FIN"],
  [Action.close, "close both"],
  [Action.reset, "reset"],
];

function perform(core: RelayCore, happening: Happening): string {
  const who = happening.startsWith("client") ? "client" : "server";
  const sends = who === "client" ? Direction.toServer : Direction.toClient;
  const receives = who === "client" ? Direction.toClient : Direction.toServer;
  const peer = who === "client" ? "server" : "client";
  const what = happening.slice(who.length + 1);
  let actions: number;
  let receiver = peer;
  if (what === "has taken all") {
    actions = core.onFlushed(receives);
    receiver = who;
  } else if (what === "resets") actions = core.onReset();
  else actions = core.onEnd(sends, what === "ends, bytes wait");
  return names
    .filter(([action]) => (actions & action) !== 0)
    .map(([action, name]) => (action === Action.close ? name : `${name} to ${receiver}`))
    .join(", ");
}

function play(playbook: Playbook): RelayCore {
  const core = new RelayCore();
  for (const [i, [happening, expected]] of playbook.entries())
    expect(perform(core, happening), `step ${i + 1}: ${happening}`).toBe(expected);
  return core;
}

describe("a relay", () => {
  it("ends when both sides have, the client first", () => {
    const core = play([
      ["client ends", "FIN to server"],
      ["server ends", "close both"],
    ]);
    expect(core.isOver()).toBe(true);
  });

  it("ends when both sides have, the server first", () => {
    play([
      ["server ends", "FIN to client"],
      ["client ends", "close both"],
    ]);
  });

  it("passes bytes the other way after a half-close", () => {
    const core = play([["client ends", "FIN to server"]]);
    expect(core.isOpen(Direction.toServer)).toBe(false);
    expect(core.isOpen(Direction.toClient)).toBe(true);
  });

  it("says FIN only behind the bytes that wait", () => {
    play([
      ["client ends, bytes wait", ""],
      ["server has taken all", "FIN to server"],
      ["server ends", "close both"],
    ]);
  });

  it("waits with closing for the bytes that wait", () => {
    play([
      ["client ends, bytes wait", ""],
      ["server ends", "FIN to client"],
      ["server has taken all", "close both"],
    ]);
  });

  it("waits on both sides", () => {
    play([
      ["client ends, bytes wait", ""],
      ["server ends, bytes wait", ""],
      ["client has taken all", "FIN to client"],
      ["server has taken all", "close both"],
    ]);
  });
});

describe("a relay whose sides go on", () => {
  it("does nothing about bytes taken in the midst of a stream", () => {
    play([
      ["server has taken all", ""],
      ["client has taken all", ""],
      ["client ends", "FIN to server"],
      ["server has taken all", ""],
    ]);
  });

  it("passes a reset on, and is over", () => {
    const core = play([["server resets", "reset to client"]]);
    expect(core.isOver()).toBe(true);
    expect(core.isOpen(Direction.toServer)).toBe(false);
  });

  it("passes on the reset of a side that had ended", () => {
    play([
      ["client ends", "FIN to server"],
      ["client resets", "reset to server"],
    ]);
  });

  it("hears an end once", () => {
    play([
      ["client ends", "FIN to server"],
      ["client ends", ""],
    ]);
  });

  it("does nothing more once it is over", () => {
    const after: Playbook = [
      ["client ends", ""],
      ["server ends", ""],
      ["client has taken all", ""],
      ["client resets", ""],
    ];
    play([["client resets", "reset to server"], ...after]);
    play([["client ends", "FIN to server"], ["server ends", "close both"], ...after]);
  });
});
