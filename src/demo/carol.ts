/** The demo's client of TLS: fetches a secret from the vault. */
import { connect } from "node:tls";
import { sharedKey, tlsOptions } from "./secret.ts";

const socket = connect({
  ...tlsOptions,
  host: "vault",
  port: 7443,
  pskCallback: () => ({ psk: sharedKey, identity: "carol" }),
  // The shared key identifies the vault; there is no certificate.
  checkServerIdentity: () => undefined,
});
socket.on("data", (data) => console.log(`over ${socket.getProtocol()}: ${String(data).trim()}`));
