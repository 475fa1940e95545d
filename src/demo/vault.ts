/** The demo's server of TLS: draws a secret number for each client. */
import { randomInt } from "node:crypto";
import { createServer } from "node:tls";
import { sharedKey, tlsOptions } from "./secret.ts";

const numbers = 1_000_000;

const server = createServer({ ...tlsOptions, pskCallback: () => sharedKey }, (socket) => {
  socket.end(`your secret number is ${randomInt(numbers)}\n`);
});
server.listen(7443);
