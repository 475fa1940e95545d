// A SYN that was decided is over, though its retransmission may be on its way, or a mistaken
// answer.
import { expect, test } from "vitest";
import { PacketView, TCP_ACK, TCP_RST, tcpSequenceAt } from "../../src/net/packet.ts";
import { type Attempt, type AttemptExits, Attempts } from "../../src/pipe/attempts.ts";
import { type AttemptHandler, Entrance } from "../../src/pipe/entrance.ts";
import type { Connection } from "../../src/pipe/core/connection.ts";
import type { SwitchedPacket } from "../../src/switch/switch.ts";
import { virtioNetHeaderBytes } from "../../src/sys/abi.ts";
import { needs } from "../programs/machine.ts";
import { synV4, synV6 } from "../unit/net/known-packets.ts";

needs();

function packetOf(syn: Uint8Array): SwitchedPacket {
  const bytes = new Uint8Array(virtioNetHeaderBytes + syn.length);
  bytes.set(syn, virtioNetHeaderBytes);
  const view = new PacketView();
  expect(view.parse(bytes, virtioNetHeaderBytes, syn.length)).toBe(true);
  return { bytes, view, from: 1, to: 0, frameBytes: bytes.length };
}

/** Attempts that `onAttempt` decides about. Notes the rest in `seen`, and frames in `letIn`. */
function attemptsWith(
  onAttempt: AttemptHandler<undefined>["onAttempt"],
  seen: string[] = [],
  clock: { readonly nowMs: number } = { nowMs: 0 },
  letIn: Uint8Array[] = [],
): { attempts: Attempts<undefined>; entrance: Entrance<undefined> } {
  const onAbandoned = (): unknown => seen.push("abandoned");
  const exits: AttemptExits = {
    letIn: (frame) => {
      seen.push("let in");
      letIn.push(frame.slice());
    },
    sendToContainer: (from, to) => seen.push(`reset from ${from} to ${to}`),
  };
  const attempts = new Attempts<undefined>(clock, exits);
  const onReplaced = (connection: Connection): unknown => attempts.take(connection);
  const handler = { onRepeated: () => {}, onReplaced, onAttempt, onAbandoned };
  return { attempts, entrance: new Entrance(attempts, handler) };
}

test.for([synV4, synV6])(
  "a retransmission after the refusal is refused, and is no new attempt",
  (syn) => {
    const seen: string[] = [];
    const { attempts, entrance } = attemptsWith((attempt) => {
      seen.push("attempt");
      attempts.refuse(attempt);
    }, seen);
    const packet = packetOf(syn);
    expect(entrance.onSyn(packet)).toBe(false);
    expect(entrance.onSyn(packet)).toBe(false);
    expect(seen).toEqual(["attempt", "reset from 0 to 1", "reset from 0 to 1"]);
    // Another SYN from the same port, with another sequence number, is a new one.
    const sequenceAt = packet.view.transportAt + 4;
    packet.bytes[sequenceAt] = (packet.bytes[sequenceAt] ?? 0) ^ 1;
    entrance.onSyn(packet);
    expect(seen.slice(3)).toEqual(["attempt", "reset from 0 to 1"]);
  },
);

test.for([synV4, synV6])("a retransmission after the acceptance is nothing", (syn) => {
  const seen: string[] = [];
  const { attempts, entrance } = attemptsWith((attempt) => {
    seen.push("attempt");
    attempts.admit(attempt);
    expect(attempts.take(attempt.connection)).toBe(attempt);
  }, seen);
  const packet = packetOf(syn);
  expect(entrance.onSyn(packet)).toBe(false);
  expect(entrance.onSyn(packet)).toBe(false);
  expect(seen).toEqual(["attempt", "let in"]);
  // The port again, for a new connection.
  const sequenceAt = packet.view.transportAt + 4;
  packet.bytes[sequenceAt] = (packet.bytes[sequenceAt] ?? 0) ^ 1;
  entrance.onSyn(packet);
  expect(seen.slice(2)).toEqual(["attempt", "let in"]);
});

test("a client that uses its port again, before its connection was accepted, opens another", () => {
  const seen: string[] = [];
  const { attempts, entrance } = attemptsWith((attempt) => {
    seen.push("attempt");
    attempts.admit(attempt);
  }, seen);
  const packet = packetOf(synV4);
  entrance.onSyn(packet);
  expect(entrance.onSyn(packet), "a retransmission").toBe(true);
  const sequenceAt = packet.view.transportAt + 4;
  packet.bytes[sequenceAt] = (packet.bytes[sequenceAt] ?? 0) ^ 1;
  expect(entrance.onSyn(packet)).toBe(false);
  expect(seen).toEqual(["attempt", "let in", "attempt", "let in"]);
});

/** What goes back: the packet with its ports exchanged. */
function answerTo(syn: Uint8Array): SwitchedPacket {
  const packet = packetOf(syn);
  const at = packet.view.transportAt;
  const ports = packet.bytes.slice(at, at + 4);
  packet.bytes.set([...ports.slice(2), ...ports.slice(0, 2)], at);
  return { ...packet, from: packet.to, to: packet.from };
}

test.for([synV4, synV6])(
  "a RST to a newborn connection is a mistake, a later one is not",
  (syn) => {
    const clock = { nowMs: 5000 };
    let admitted: Attempt<undefined> | undefined;
    const { attempts, entrance } = attemptsWith((attempt) => (admitted = attempt), [], clock);
    const reset = answerTo(syn);
    expect(entrance.onBareReset(reset), "of no connection").toBe(true);
    entrance.onSyn(packetOf(syn));
    expect(entrance.onBareReset(reset), "held").toBe(true);
    if (admitted) attempts.admit(admitted);
    expect(entrance.onBareReset(reset), "let in").toBe(false);
    expect(attempts.take(admitted?.connection as Connection)).toBe(admitted);
    clock.nowMs += 900;
    expect(entrance.onBareReset(reset), "accepted just now").toBe(false);
    expect(entrance.onBareReset(packetOf(syn)), "the other way").toBe(true);
    clock.nowMs += 200;
    expect(entrance.onBareReset(reset), "accepted a while ago").toBe(true);
  },
);

/** A RST from the client, `ahead` of its SYN by sequence number, with ACK or without. */
function resetAfter(syn: Uint8Array, ahead: number, flags = TCP_RST): SwitchedPacket {
  const packet = packetOf(syn);
  const { view, bytes } = packet;
  const sequence = tcpSequenceAt(bytes, view.transportAt) + ahead;
  new DataView(bytes.buffer).setUint32(view.transportAt + 4, sequence);
  bytes[view.transportAt + 13] = flags;
  return packet;
}

test.for([synV4, synV6])("a RST of an earlier connection abandons nothing", (syn) => {
  const seen: string[] = [];
  let open: Attempt<undefined> | undefined;
  const { attempts, entrance } = attemptsWith((attempt) => (open = attempt), seen);
  entrance.onSyn(packetOf(syn));
  // The old connection may have run ahead of the clock that initial numbers come from, or behind
  // it.
  const foreign = [-1_000_000, -1, 0, 2, 1_000_000, 0x8000_0000];
  for (const ahead of foreign) entrance.onReset(resetAfter(syn, ahead));
  if (open) attempts.admit(open);
  for (const ahead of foreign) entrance.onReset(resetAfter(syn, ahead));
  for (const ahead of foreign) entrance.onReset(resetAfter(syn, ahead, TCP_RST | TCP_ACK));
  expect(seen).toEqual(["let in"]);
  // This one answers the SYN-ACK.
  entrance.onReset(resetAfter(syn, 1));
  expect(seen).toEqual(["let in", "abandoned"]);
});

test("a RST of a client that was connected leaves the kernel a second to accept", () => {
  const clock = { nowMs: 0 };
  const seen: string[] = [];
  const { attempts, entrance } = attemptsWith((attempt) => attempts.admit(attempt), seen, clock);
  entrance.onSyn(packetOf(synV4));
  entrance.onReset(resetAfter(synV4, 100, TCP_RST | TCP_ACK));
  clock.nowMs = 900;
  expect(attempts.sweep()).toEqual([]);
  clock.nowMs = 1100;
  expect(attempts.sweep()).toEqual([expect.objectContaining({ state: "forgotten" })]);
  expect(seen).toEqual(["let in"]);
});

test("an attempt that is held keeps its SYN, whatever comes after it", () => {
  const letIn: Uint8Array[] = [];
  let held: Attempt<undefined> | undefined;
  const { attempts, entrance } = attemptsWith((attempt) => (held = attempt), [], undefined, letIn);
  const packet = packetOf(synV4);
  const frame = packet.bytes.slice();
  entrance.onSyn(packet);
  // The switch reads the next packet into the same memory.
  packet.bytes.fill(0xff);
  if (held) attempts.admit(held);
  expect(letIn).toEqual([frame]);
});

test("an attempt that is forgotten comes again as a new one", () => {
  let count = 0;
  const { attempts, entrance } = attemptsWith((attempt) => {
    count++;
    attempts.forget(attempt);
  });
  const packet = packetOf(synV4);
  entrance.onSyn(packet);
  entrance.onSyn(packet);
  expect(count).toBe(2);
});
