/**
 * What carol and the vault know of each other before they speak: a key, instead of certificates.
 */
import type { TlsOptions } from "node:tls";

export const sharedKey: Buffer = Buffer.from("a key that carol and the vault share");

/** Each session agrees on fresh keys (ECDHE), so no two sessions have the same bytes. */
export const tlsOptions: TlsOptions = {
  ciphers: "ECDHE-PSK-CHACHA20-POLY1305",
  // Node implements shared keys for TLS 1.2.
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.2",
};
