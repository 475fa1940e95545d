import { expect, it } from "vitest";
import { BlockBuilder, BlockType, OptionCode } from "../../../src/dump/format/pcapng.ts";

it("builds a whole block whatever its length, and wherever its memory has to grow", () => {
  for (let length = 0; length < 2100; length++) {
    const value = new Uint8Array(length).fill(0x78);
    const block = new BlockBuilder(BlockType.interfaceDescription)
      .u16(1)
      .u16(0)
      .u32(0)
      .option(OptionCode.comment, value)
      .finish();
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    expect(view.getUint32(4, true), `${length}`).toBe(block.length);
    expect(view.getUint32(block.length - 4, true), `${length}`).toBe(block.length);
  }
});
