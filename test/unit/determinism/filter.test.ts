// The filters, run by an interpreter of classic BPF, against what they are to do in plain words.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { architectureOf } from "../../../src/determinism/core/architecture.ts";
import { filterProgram } from "../../../src/determinism/core/filter.ts";

const userNotif = 0x7fc0_0000;
const allow = 0x7fff_0000;

/** `struct seccomp_data`, as the kernel shows it to a filter. */
interface Call {
  readonly number: number;
  readonly arch: number;
  readonly argument: number;
}

/** Loads, equal, return: all that these programs use. */
function verdict(program: Uint8Array, call: Call): number {
  const words = new Map([
    [0, call.number],
    [4, call.arch],
    [16, call.argument],
  ]);
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  let accumulator = 0;
  for (let at = 0; ; at += 8) {
    const value = view.getUint32(at + 4, true);
    const code = view.getUint16(at, true);
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = words.get(value) ?? NaN;
    else at += 8 * view.getUint8(at + (accumulator === value ? 2 : 3));
  }
}

const archX64 = 0xc000_003e;
const archI386 = 0x4000_0003;
const archArm64 = 0xc000_00b7;
const calls: fc.Arbitrary<Call> = fc.record({
  number: fc.oneof(fc.constantFrom(318, 278, 158, 96, 355, 0x4000_013e), fc.nat(500)),
  arch: fc.constantFrom(archX64, archI386, archArm64),
  argument: fc.oneof(fc.constantFrom(0x1002, 0x1003), fc.nat()),
});

function stops(name: string, isStopped: (call: Call) => boolean): void {
  const architecture = architectureOf(name);
  expect(architecture).toBeDefined();
  if (!architecture) return;
  const program = filterProgram(architecture);
  fc.assert(
    fc.property(calls, (call) => {
      expect(verdict(program, call)).toBe(isStopped(call) ? userNotif : allow);
    }),
    { numRuns: 2000 },
  );
}

function stubOf(name: string, number: number): string {
  return Buffer.from(architectureOf(name)?.stub(number) ?? []).toString("hex");
}

describe("the filter of commands", () => {
  it("on x86-64 stops getrandom and the setting up of a thread, of 64-bit programs alone", () => {
    stops(
      "x64",
      ({ number, arch, argument }) =>
        arch === archX64 && (number === 318 || (number === 158 && argument === 0x1002)),
    );
  });

  it("on arm64 stops getrandom and set_tid_address", () => {
    stops("arm64", ({ number, arch }) => arch === archArm64 && (number === 278 || number === 96));
  });

  it("is not made for a processor that nobody knows", () => {
    expect(architectureOf("riscv64")).toBeUndefined();
  });
});

describe("the stub that makes a system call", () => {
  it("is what an assembler makes of it", () => {
    // mov eax, 318; syscall; ret
    expect(stubOf("x64", 318)).toBe("b83e0100000f05c3");
    // movz x8, #278; svc #0; ret
    expect(stubOf("arm64", 278)).toBe("c82280d2010000d4c0035fd6");
  });
});
