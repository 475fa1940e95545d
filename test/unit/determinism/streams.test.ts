import { createCipheriv, createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stream } from "../../../src/determinism/streams.ts";

/** Counter mode by hand: each block is the encrypted counter. */
function naiveBytes(seed: number, name: string, call: number, lengthBytes: number): Buffer {
  const key = createHmac("sha256", `plg seed ${seed}`).update(name).digest();
  const blocks: Buffer[] = [];
  for (let block = 0; 16 * block < lengthBytes; block++) {
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(call), 0);
    counter.writeBigUInt64BE(BigInt(block), 8);
    const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
    blocks.push(cipher.update(counter));
  }
  return Buffer.concat(blocks).subarray(0, lengthBytes);
}

function hexOf(seed: number, name: string, call: number): string {
  const stream = new Stream(seed, name);
  for (let before = 0; before < call; before++) stream.next(1);
  return Buffer.from(stream.next(16)).toString("hex");
}

const lengths = fc.array(fc.nat(300), { maxLength: 8 });

describe("a stream", () => {
  it("gives each call the bytes that a naive twin gives it", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string(), lengths, (seed, name, calls) => {
        const stream = new Stream(seed, name);
        for (const [call, lengthBytes] of calls.entries())
          expect(Buffer.from(stream.next(lengthBytes))).toEqual(
            naiveBytes(seed, name, call, lengthBytes),
          );
      }),
    );
  });

  it("gives a call the same beginning, however long it and the calls before are", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), lengths, lengths, (seed, some, others) => {
        const [one, two] = [new Stream(seed, "one"), new Stream(seed, "one")];
        for (let call = 0; call < Math.min(some.length, others.length); call++) {
          const [a, b] = [one.next(some[call] ?? 0), two.next(others[call] ?? 0)];
          const common = Math.min(a.length, b.length);
          expect(Buffer.from(a.subarray(0, common))).toEqual(Buffer.from(b.subarray(0, common)));
        }
      }),
    );
  });

  it("gives other bytes for another seed, name or call", () => {
    const all = [0, 1, 2 ** 48].flatMap((seed) =>
      ["", "a", "a\n"].flatMap((name) => [0, 1].map((call) => hexOf(seed, name, call))),
    );
    expect(new Set(all).size).toBe(all.length);
  });
});
