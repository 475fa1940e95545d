// What programs are read by: their auxiliary vector and their vDSO. This process has both.
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AT_RANDOM,
  AT_SYSINFO_EHDR,
  auxiliaryValue,
} from "../../../src/determinism/core/auxiliary-vector.ts";
import { vdsoSymbols } from "../../../src/determinism/core/vdso.ts";
import type { Address } from "../../../src/base/units.ts";
import { allocateRegion } from "../../../src/sys/memory.ts";
import { readProcess } from "../../../src/sys/process-memory.ts";

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const vector = viewOf(readFileSync("/proc/self/auxv"));

function ownVdso(): DataView {
  const region = allocateRegion(8192);
  const at = auxiliaryValue(vector, AT_SYSINFO_EHDR) as Address;
  return new DataView(
    region.bytes.buffer,
    region.bytes.byteOffset,
    readProcess(process.pid, at, region, 8192),
  );
}

describe("the auxiliary vector", () => {
  it("has the addresses of the random bytes and of the vDSO", () => {
    const maps = readFileSync("/proc/self/maps", "utf8");
    const vdso = /^([0-9a-f]+)-.*\[vdso\]$/m.exec(maps)?.[1] ?? "";
    expect(auxiliaryValue(vector, AT_SYSINFO_EHDR)).toBe(Number.parseInt(vdso, 16));
    expect(auxiliaryValue(vector, AT_RANDOM)).toBeGreaterThan(0x1000);
  });

  it("lacks what it does not have, and what is cut off", () => {
    expect(auxiliaryValue(vector, 12_345)).toBeUndefined();
    expect(auxiliaryValue(viewOf(new Uint8Array(15)), 0)).toBeUndefined();
  });
});

describe("the vDSO", () => {
  it("has functions, within the image", () => {
    const symbols = vdsoSymbols(ownVdso());
    const time = symbols.get("__vdso_clock_gettime") ?? symbols.get("__kernel_clock_gettime");
    expect(time).toBeGreaterThan(0);
    expect(time).toBeLessThan(8192);
  });

  it("that is damaged has some functions or none, and never throws", () => {
    const image = ownVdso();
    const change = fc.record({ at: fc.nat(image.byteLength - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 20 }),
        fc.nat(image.byteLength),
        (changes, length) => {
          const bytes = new Uint8Array(length);
          bytes.set(new Uint8Array(image.buffer, image.byteOffset, length));
          for (const { at, byte } of changes) if (at < length) bytes[at] = byte;
          expect(vdsoSymbols(viewOf(bytes))).toBeInstanceOf(Map);
        },
      ),
    );
  });
});
