import { describe, expect, it } from "vitest";
import type { ContainerIndex } from "../../../src/base/ids.ts";
import { describeGap, type Gap, GapLog } from "../../../src/determinism/core/gaps.ts";

const zero = 0 as ContainerIndex;
const one = 1 as ContainerIndex;

describe("the log of reasons why random bytes may differ", () => {
  it("has each reason once for each program and container, and none outside of containers", () => {
    const gaps: Gap[] = [];
    const log = new GapLog((gap) => gaps.push(gap));
    for (const container of [zero, one, undefined])
      for (const program of ["curl", "node", "curl"])
        log.note(container, program, "several threads");
    log.note(zero, "curl", "random addresses");
    expect(gaps).toHaveLength(5);
    expect(describeGap(gaps[0] as Gap)).toContain("several threads of curl drew");
    expect(describeGap(gaps[4] as Gap)).toContain("curl had random addresses");
  });
});
