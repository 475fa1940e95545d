import { describe, expect, it } from "vitest";
import {
  deviceMode,
  mostReadBytes,
  opened,
  payloadAt,
  type Reply,
  replyTo,
  writeHeader,
} from "../../../src/determinism/core/fuse.ts";

/** A request as the kernel sends it: `struct fuse_in_header`, then words of 32 bits. */
function request(opcode: number, ...words: readonly number[]): DataView {
  const view = new DataView(new ArrayBuffer(40 + 4 * words.length));
  view.setUint32(0, view.byteLength, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, 0x1234_5678_9abcn, true);
  view.setUint32(32, 4711, true);
  words.forEach((word, i) => view.setUint32(40 + 4 * i, word, true));
  return view;
}

function readOf(lengthBytes: number): Reply {
  return replyTo(request(15, 7, 0, 99, 0, lengthBytes));
}

function readBy4711(lengthBytes: number): Reply {
  return { type: "read", request: { handle: 7n, offset: 99n, lengthBytes, tid: 4711 } };
}

function wordOf(reply: Reply, at: number): number | undefined {
  if (reply.type !== "data") return undefined;
  return new DataView(reply.data.buffer).getUint32(at, true);
}

describe("the file /dev/urandom, served by FUSE", () => {
  it("agrees on the older of two versions", () => {
    for (const [kernel, agreed] of [
      [45, 31],
      [31, 31],
      [27, 27],
    ] as const) {
      const reply = replyTo(request(26, 7, kernel, 0, 0));
      expect([wordOf(reply, 0), wordOf(reply, 4)]).toEqual([7, agreed]);
    }
  });

  it("is a file of the mount's mode, opened past the page cache", () => {
    expect(wordOf(replyTo(request(3)), 76)).toBe(deviceMode);
    expect(replyTo(request(14))).toEqual({ type: "open" });
    expect(Buffer.from(opened(7n)).toString("hex")).toBe(`07${"0".repeat(14)}01${"0".repeat(14)}`);
    expect(replyTo(request(18, 7, 0))).toEqual({ type: "release", handle: 7n });
  });

  it("is read by whoever asks, without an end, but not without a limit", () => {
    expect(readOf(16)).toEqual(readBy4711(16));
    expect(readOf(1 << 30)).toEqual(readBy4711(mostReadBytes));
  });

  it("takes all that is written", () => {
    expect(wordOf(replyTo(request(16, 0, 0, 0, 0, 300)), 0)).toBe(300);
  });

  it("answers neither what is forgotten nor interrupts, and refuses what it does not know", () => {
    for (const opcode of [2, 36, 42]) expect(replyTo(request(opcode))).toEqual({ type: "none" });
    expect(replyTo(request(4096))).toEqual({ type: "error", errorNumber: 38 });
  });

  it("heads an answer with its length, its error and the request's number", () => {
    const answer = new DataView(new ArrayBuffer(payloadAt));
    expect(writeHeader(answer, request(15), 100)).toBe(116);
    expect(answer.getBigUint64(8, true)).toBe(0x1234_5678_9abcn);
    writeHeader(answer, request(4096), 0, 38);
    expect([answer.getUint32(0, true), answer.getInt32(4, true)]).toEqual([16, -38]);
  });
});
