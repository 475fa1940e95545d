import {
  BlockBuilder,
  BlockType,
  byteOrderMagic,
  OptionCode,
} from "../../../src/dump/format/pcapng.ts";

/** A section header with this comment. */
export function sectionOf(comment: string): Uint8Array {
  const block = new BlockBuilder(BlockType.sectionHeader)
    .u32(byteOrderMagic)
    .u16(1) // pcapng's version 1.0
    .u16(0)
    .u64(-1n); // the section's length is not known beforehand
  return block.text(OptionCode.comment, comment).finish();
}
