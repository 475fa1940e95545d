/** Packets that a Linux 6 kernel sent: captured from `lo` and from a TUN device without offload. */

import { fromHex } from "./naive.ts";

/** 10.0.0.2:38656 -> 10.0.0.1:81, SYN, full checksum. */
export const synV4: Uint8Array = fromHex(
  `4500003cc777400040065f420a0000020a000001 967000518196c9a900000000a002faf06d4e0000
   020405b40402080a82c566f4000000000103030a`,
);

/** [fd00::2]:33138 -> [fd00::1]:81, SYN, full checksum. */
export const synV6: Uint8Array = fromHex(
  `600b6eca00280640fd000000000000000000000000000002fd000000000000000000000000000001
   81720051fd7b2f8500000000a002fd2064c20000 020405a00402080a5115ec4f000000000103030a`,
);

/** 10.0.0.2:59733 -> 10.0.0.1:81, SYN, partial checksum (1431). */
export const partialSynV4: Uint8Array = fromHex(
  `4500003c73a840004006b3110a0000020a000001 e95500510522463500000000a002ffd714310000
   0204ffd70402080a9e9a8ec6000000000103030a`,
);

/** The kernel's answer to {@link partialSynV4}. */
export const resetV4: Uint8Array = fromHex(
  "4500002800004000400626ce0a0000010a000002 0051e95500000000052246365014000066cf0000",
);

/** [fd00::2]:57431 -> [fd00::1]:81, SYN, partial checksum (fa32). */
export const partialSynV6: Uint8Array = fromHex(
  `60013a3000280640fd000000000000000000000000000002fd000000000000000000000000000001
   e057005168d4004c00000000a002ffc4fa320000 0204ffc40402080adc8d0576000000000103030a`,
);

/**
 * The kernel's answer to {@link partialSynV6}; with a flow label, and a partial checksum (fa1e).
 */
export const resetV6: Uint8Array = fromHex(
  `600a0d0900140640fd000000000000000000000000000001fd000000000000000000000000000002
   0051e0570000000068d4004d50140000fa1e0000`,
);

/** UDP "hello" from 10.0.0.2 to 10.0.0.1. */
export const udpV4: Uint8Array = fromHex(
  "450000214f8940004011d7400a0000020a000001 a1890063000d1421 68656c6c6f",
);

/** The kernel's "port unreachable" (type 3 code 3) for {@link udpV4}. */
export const portUnreachableV4: Uint8Array = fromHex(
  `45c0003defec0000400176110a0000010a000002 0303031000000000
   450000214f8940004011d7400a0000020a000001 a1890063000d1421 68656c6c6f`,
);

/** UDP "hello" from fd00::2 to fd00::1. */
export const udpV6: Uint8Array = fromHex(
  `60024edb000d1140fd000000000000000000000000000002fd000000000000000000000000000001
   c9dc0063000dfa22 68656c6c6f`,
);

/** The kernel's "port unreachable" (type 1 code 4) for {@link udpV6}, with a flow label. */
export const portUnreachableV6: Uint8Array = fromHex(
  `600de85f003d3a40fd000000000000000000000000000001fd000000000000000000000000000002
   0104420e00000000
   60024edb000d1140fd000000000000000000000000000002fd000000000000000000000000000001
   c9dc0063000dfa22 68656c6c6f`,
);
