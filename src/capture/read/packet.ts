/** A packet of a capture file. */

/** Link types, as the registry spells them (draft-ietf-opsawg-pcaplinktype). */
export const LinkType = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  /** Old numbers of {@link LinkType.raw}: some systems wrote their own DLT_RAW to files. */
  rawOfBsd: 12,
  rawOfOpenBsd: 14,
  pppHdlc: 50,
  pppEthernet: 51,
  raw: 101,
  cHdlc: 104,
  loop: 108,
  linuxSll: 113,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  linuxSll2: 276,
} as const;

/**
 * A packet of a capture. Readers refill one object; its bytes are valid until the reader's next
 * call.
 */
export class CapturedPacket {
  linkType = 0;
  /** The interface that saw it, from 0, counted over all sections of the file. */
  interfaceIndex = 0;
  /** The time since the epoch: whole seconds, and nanoseconds within the second. */
  seconds = 0;
  nanoseconds = 0;
  /** The packet is `bytes[at..at+capturedBytes)`. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  capturedBytes = 0;
  /** Its length on the wire; above `capturedBytes` if the snapshot length truncated it. */
  originalBytes = 0;
}

/** Names and keys that a capture holds in addition to packets. */
export type CaptureNote =
  | { readonly type: "name"; readonly address: Uint8Array; readonly name: string }
  | { readonly type: "tlsKeys"; readonly text: Uint8Array };

/** How a capture ended: complete, or where and why the rest is unreadable. */
export interface CaptureEnd {
  readonly problem: { readonly position: number; readonly what: string } | undefined;
}

/** Reports a file that is not a capture, or that is damaged from `position` on. */
export class CaptureProblem extends Error {
  override readonly name = "CaptureProblem";
  readonly position: number;

  constructor(what: string, position: number) {
    super(what);
    this.position = position;
  }
}
