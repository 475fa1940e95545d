// The filters, run by an interpreter of classic BPF, against what they are to do in plain words.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { architectureOf } from "../../../src/determinism/core/architecture.ts";
import { type Answered, filterProgram } from "../../../src/determinism/core/filter.ts";

const userNotif = 0x7fc0_0000;
const allow = 0x7fff_0000;

/** `struct seccomp_data`, as the kernel shows it to a filter. */
interface Call {
  readonly number: number;
  readonly arch: number;
  /** The first argument, and the third. */
  readonly argument: number;
  readonly third: number;
}

/** Knows the instructions that these programs use: load, equal, greater, return. */
function verdict(program: Uint8Array, call: Call): number {
  const words = new Map([
    [0, call.number],
    [4, call.arch],
    [16, call.argument],
    [32, call.third],
  ]);
  const view = new DataView(program.buffer, program.byteOffset, program.length);
  let accumulator = 0;
  for (let at = 0; ; at += 8) {
    const value = view.getUint32(at + 4, true);
    const code = view.getUint16(at, true);
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = words.get(value) ?? NaN;
    else {
      const holds = code === 0x25 ? accumulator > value : accumulator === value;
      at += 8 * view.getUint8(at + (holds ? 2 : 3));
    }
  }
}

const archX64 = 0xc000_003e;
const archI386 = 0x4000_0003;
const archArm64 = 0xc000_00b7;
const calls: fc.Arbitrary<Call> = fc.record({
  number: fc.oneof(
    fc.constantFrom(318, 7, 231, 94, 278, 158, 96, 355, 228, 201, 113, 169, 0x4000_013e),
    fc.nat(500),
  ),
  arch: fc.constantFrom(archX64, archI386, archArm64),
  argument: fc.oneof(fc.constantFrom(0x1002, 0x1003, 0, 1, 5), fc.nat()),
  third: fc.oneof(fc.constantFrom(0, 1, 10, 11, 0xffff_ffff), fc.nat()),
});

function stops(name: string, answered: Answered, isStopped: (call: Call) => boolean): void {
  const architecture = architectureOf(name);
  expect(architecture).toBeDefined();
  if (!architecture) return;
  const program = filterProgram(architecture, answered);
  fc.assert(
    fc.property(calls, (call) => {
      expect(verdict(program, call)).toBe(isStopped(call) ? userNotif : allow);
    }),
    { numRuns: 2000 },
  );
}

/** The code for random bytes, and for the first clock, of this processor. */
function codesOf(name: string): string[] {
  const { randomInVdso, clocksInVdso } = architectureOf(name) ?? {};
  return [randomInVdso, clocksInVdso?.[0]].map((one) =>
    Buffer.from(one?.code ?? []).toString("hex"),
  );
}

const isSetup = ({ number, argument }: Call): boolean => number === 158 && argument === 0x1002;
const isShortWait = ({ number, third }: Call): boolean => number === 7 && third > 0 && third <= 10;
const asksForTime = ({ number, argument }: Call): boolean =>
  number === 96 || number === 201 || (number === 228 && (argument === 0 || argument === 5));

describe("the filter of commands", () => {
  it("on x86-64 stops the setting up of a thread, and what else it is to, of 64-bit programs", () => {
    const [yes, no] = [true, false];
    for (const [randomBytes, timeOfDay] of [
      [yes, no],
      [no, yes],
      [yes, yes],
    ] as const)
      stops("x64", { randomBytes, timeOfDay }, (call) => {
        const isRandom = randomBytes && ([318, 231].includes(call.number) || isShortWait(call));
        const isTime = timeOfDay && asksForTime(call);
        return call.arch === archX64 && (isSetup(call) || isRandom || isTime);
      });
  });

  it("on arm64 stops getrandom, set_tid_address and clocks", () => {
    stops(
      "arm64",
      { randomBytes: true, timeOfDay: true },
      ({ number, arch, argument }) =>
        arch === archArm64 &&
        ([278, 94, 96, 169].includes(number) ||
          (number === 113 && (argument === 0 || argument === 5))),
    );
  });

  it("is not made for a processor that nobody knows", () => {
    expect(architectureOf("riscv64")).toBeUndefined();
  });
});

describe("the code that makes a system call", () => {
  it("is what an assembler makes of it", () => {
    expect(codesOf("x64")).toEqual([
      // cmp r8, -1; je; mov eax, 318; syscall; ret; mov rax, -38; ret
      "4983f8ff7408b83e0100000f05c348c7c0daffffffc3",
      // mov eax, 228; syscall; ret
      "b8e40000000f05c3",
    ]);
    expect(codesOf("arm64")).toEqual([
      // cmn x4, #1; b.eq; movz x8, #278; svc #0; ret; movn x0, #37; ret
      "9f0400b180000054c82280d2010000d4c0035fd6a0048092c0035fd6",
      // movz x8, #113; svc #0; ret
      "280e80d2010000d4c0035fd6",
    ]);
  });
});
