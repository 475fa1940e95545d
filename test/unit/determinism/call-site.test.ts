import { describe, expect, it } from "vitest";
import { callSite, type Stack, unmappedWord } from "../../../src/determinism/core/call-site.ts";
import { Mappings } from "../../../src/determinism/core/mappings.ts";

const maps = `555555554000-555555556000 r--p 00000000 fd:00 1234                       /usr/bin/client
555555556000-555555559000 r-xp 00002000 fd:00 1234                       /usr/bin/client
555555559000-55555555a000 rw-p 00005000 fd:00 1234                       /usr/bin/client
55555555a000-55555557b000 rw-p 00000000 00:00 0                          [heap]
7ffff7d00000-7ffff7d26000 r--p 00000000 fd:00 99                         /usr/lib/a folder/libc.so.6
7ffff7d26000-7ffff7e7b000 r-xp 00026000 fd:00 99                         /usr/lib/a folder/libc.so.6
7ffff7f00000-7ffff7f01000 rwxp 00000000 00:00 0
7ffff7fc5000-7ffff7fc7000 r-xp 00000000 00:00 0                          [vdso]
7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]
`;

/** A stack of a call that is made at `instruction`. */
function stackOf(instruction: number, ...words: readonly number[]): Stack {
  const view = new DataView(new ArrayBuffer(8 * words.length));
  words.forEach((word, i) => view.setBigUint64(8 * i, BigInt(word), true));
  return { words: view, lengthBytes: view.byteLength, instruction };
}

const inClient = 0x5555_5555_8000;
const inLibc = 0x7fff_f7d3_0000;
const inVdso = 0x7fff_f7fc_5010;

describe("mappings", () => {
  const mappings = new Mappings(maps);

  it("know which place of which file an address is", () => {
    expect(mappings.codeAt(0x5555_5555_6000)).toBe("client+2000");
    expect(mappings.codeAt(0x5555_5555_8fff)).toBe("client+4fff");
    expect(mappings.codeAt(0x7fff_f7d2_6010)).toBe("libc.so.6+26010");
  });

  it("take for code what is executable and has a file", () => {
    for (const address of [0x5555_5555_4000, 0x5555_5555_9000, 0x7fff_f7f0_0010, 0x7fff_f7fc_5010])
      expect({ code: mappings.codeAt(address), has: mappings.has(address) }).toEqual({
        code: undefined,
        has: true,
      });
    for (const address of [0, 0x5555_5555_3fff, 0x7fff_f7e7_b000, 0xffff_ffff_ffff_f000])
      expect(mappings.has(address)).toBe(false);
  });
});

describe("a call site", () => {
  const mappings = new Mappings(maps);
  const words = [
    7, 0x5555_5555_6100, 0x7fff_ffff_e000, 0x7fff_f7d2_6200, 0x5555_5555_6300, 0, 0x5555_5555_6400,
    0x5555_5555_6500,
  ];

  it("is the nearest return address, where the C library makes the call", () => {
    expect(callSite(stackOf(inLibc, ...words), mappings)).toBe("client+2100");
  });

  it("is the nearest four where the program makes it, or has the vDSO make it", () => {
    const four = "client+2100 libc.so.6+26200 client+2300 client+2400";
    for (const instruction of [inClient, inVdso])
      expect(callSite(stackOf(instruction, ...words), mappings)).toBe(four);
    // The C library, too, may call the vDSO, or itself.
    expect(callSite(stackOf(inLibc, inLibc, ...words), mappings)).toBe("libc.so.6+30000");
    expect(callSite(stackOf(inVdso, inLibc, ...words), mappings)).toBe("libc.so.6+30000");
  });

  it("is the same wherever the files are mapped", () => {
    const moved = new Mappings("600000002000-600000005000 r-xp 00002000 fd:00 1 /usr/bin/client\n");
    expect(callSite(stackOf(0, 0x6000_0000_2100), moved)).toBe(
      callSite(stackOf(0, 0x5555_5555_6100), mappings),
    );
  });

  it("is empty where nothing points into code", () => {
    expect(callSite(stackOf(inLibc, 1, 2, 3), mappings)).toBe("");
    const unreadable = { ...stackOf(inLibc, 0x5555_5555_6100), lengthBytes: -1 };
    expect(callSite(unreadable, mappings)).toBe("");
  });

  it("needs the mappings listed anew for a word that points into none of them", () => {
    const [known, unknown] = [0x5555_5555_6100, 0x7fff_f600_0000];
    const stack = stackOf(inClient, known, unknown);
    expect(unmappedWord(stack, mappings, new Set())).toBe(unknown);
    expect(unmappedWord(stack, mappings, new Set([unknown]))).toBeUndefined();
    // Behind those that count, nothing is looked at.
    const far = stackOf(inClient, known, known, known, known, unknown);
    expect(unmappedWord(far, mappings, new Set())).toBeUndefined();
    expect(unmappedWord(stackOf(inLibc, known, unknown), mappings, new Set())).toBeUndefined();
    // Neither a small number nor an address of the kernel's.
    const numbers = stackOf(inClient, 0x1_0000, 0xffff_ffff_8000_0000);
    expect(unmappedWord(numbers, mappings, new Set())).toBeUndefined();
  });
});
