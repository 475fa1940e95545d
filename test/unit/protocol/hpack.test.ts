import * as fc from "fast-check";
import { expect, test } from "vitest";
import { HeaderDecoder } from "../../../src/protocol/hpack.ts";
import { codeLengths } from "../../../src/protocol/hpack-tables.ts";
import { decodeHuffman } from "../../../src/protocol/huffman.ts";
import { Garbled } from "../../../src/protocol/input.ts";

const unhex = (text: string): Uint8Array => Buffer.from(text.replaceAll(/\s/g, ""), "hex");

/**
 * The codes of RFC 7541, appendix B, by the rule of canonical codes: shorter first, then by symbol.
 */
function codesOf(): string[] {
  const lengths = Array.from(codeLengths, (letter) => letter.charCodeAt(0) - 97 + 5);
  const order = [...lengths.keys()].toSorted(
    (a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b,
  );
  const codes: string[] = [];
  let code = -1n;
  let before = 0;
  for (const symbol of order) {
    const length = lengths[symbol] as number;
    code = (code + 1n) << BigInt(before === 0 ? 0 : length - before);
    before = length;
    codes[symbol] = code.toString(2).padStart(length, "0");
  }
  return codes;
}

const codes = codesOf();

function encodeHuffman(bytes: Uint8Array): Uint8Array {
  const bits = Array.from(bytes, (byte) => codes[byte]).join("");
  const padded = bits.padEnd(8 * Math.ceil(bits.length / 8), "1");
  return Uint8Array.from(padded.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

test("some codes are those of the RFC", () => {
  // RFC 7541, appendix B.
  expect(codes["0".charCodeAt(0)]).toBe("00000");
  expect(codes["a".charCodeAt(0)]).toBe("00011");
  expect(codes["~".charCodeAt(0)]).toBe("1111111111101");
  expect(codes[256]).toBe("1".repeat(30));
});

test("what is encoded is decoded", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect([...decodeHuffman(encodeHuffman(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("the answers of RFC 7541, section C.6: a table of 256 bytes, from which fields are evicted", () => {
  const decoder = new HeaderDecoder();
  const blocks = [
    `3fe101 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b
     ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
    "4883 640e ffc1 c0bf",
    `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7
     821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed
     4ee5 b106 3d50 07`,
  ];
  expect(blocks.map((block) => Object.fromEntries(decoder.decode(unhex(block))))).toEqual([
    {
      ":status": "302",
      "cache-control": "private",
      date: "Mon, 21 Oct 2013 20:13:21 GMT",
      location: "https://www.example.com",
    },
    {
      ":status": "307",
      "cache-control": "private",
      date: "Mon, 21 Oct 2013 20:13:21 GMT",
      location: "https://www.example.com",
    },
    {
      ":status": "200",
      "cache-control": "private",
      date: "Mon, 21 Oct 2013 20:13:22 GMT",
      location: "https://www.example.com",
      "content-encoding": "gzip",
      "set-cookie": "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    },
  ]);
});

test("any block is decoded, or is garbled", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }), (blocks) => {
      const decoder = new HeaderDecoder();
      try {
        for (const block of blocks) decoder.decode(block);
      } catch (error) {
        expect(error).toBeInstanceOf(Garbled);
      }
    }),
    { numRuns: 2000 },
  );
});
