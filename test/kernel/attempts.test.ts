// A SYN that was decided is over, though its retransmission may have been on its way.
import { expect, test } from "vitest";
import { PacketView } from "../../src/net/packet.ts";
import { type AttemptHandler, Attempts } from "../../src/pipe/attempts.ts";
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

test.for([synV4, synV6])(
  "a retransmission after the refusal is refused, and is no new attempt",
  (syn) => {
    const seen: string[] = [];
    const handler: AttemptHandler = {
      onRepeated: () => {},
      onAttempt: (attempt) => {
        seen.push("attempt");
        attempts.refuse(attempt);
      },
      onAbandoned: () => seen.push("abandoned"),
    };
    const attempts = new Attempts(handler, { nowMs: 0 });
    attempts.connectTo({
      letIn: () => seen.push("let in"),
      sendToContainer: (from, to) => seen.push(`reset from ${from} to ${to}`),
    });
    const packet = packetOf(syn);
    expect(attempts.onSyn(packet)).toBe(false);
    expect(attempts.onSyn(packet)).toBe(false);
    expect(seen).toEqual(["attempt", "reset from 0 to 1", "reset from 0 to 1"]);
    // Another SYN from the same port, with another sequence number, is a new one.
    const sequenceAt = packet.view.transportAt + 4;
    packet.bytes[sequenceAt] = (packet.bytes[sequenceAt] ?? 0) ^ 1;
    attempts.onSyn(packet);
    expect(seen.slice(3)).toEqual(["attempt", "reset from 0 to 1"]);
  },
);

test.for([synV4, synV6])("a retransmission after the acceptance is nothing", (syn) => {
  const seen: string[] = [];
  const handler: AttemptHandler = {
    onRepeated: () => {},
    onAttempt: (attempt) => {
      seen.push("attempt");
      attempts.admit(attempt);
      expect(attempts.take(attempt.connection)).toBe(attempt);
    },
    onAbandoned: () => seen.push("abandoned"),
  };
  const attempts = new Attempts(handler, { nowMs: 0 });
  attempts.connectTo({
    letIn: () => seen.push("let in"),
    sendToContainer: () => seen.push("reset"),
  });
  const packet = packetOf(syn);
  expect(attempts.onSyn(packet)).toBe(false);
  expect(attempts.onSyn(packet)).toBe(false);
  expect(seen).toEqual(["attempt", "let in"]);
  // The port again, for a new connection.
  const sequenceAt = packet.view.transportAt + 4;
  packet.bytes[sequenceAt] = (packet.bytes[sequenceAt] ?? 0) ^ 1;
  attempts.onSyn(packet);
  expect(seen.slice(2)).toEqual(["attempt", "let in"]);
});
