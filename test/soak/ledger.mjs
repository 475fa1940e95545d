// Sends and receives random bytes, and keeps a ledger of both: `ledger.mjs serve PORT FILE`, or
// `ledger.mjs ask HOST PORT FILE`, connection after connection. A connection begins with 16 bytes
// that no other begins with, so that it is found in the dump again. What is in the ledger came to
// its end at this side.
import { createHash, randomBytes, randomInt } from "node:crypto";
import { appendFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const idBytes = 16;
const mostBytes = 300_000;
const pauseMs = 20;
const patienceMs = 20_000;

/** Counts and sums what passes in one direction. */
class Count {
  bytes = 0;
  #hash = createHash("sha256");

  add(chunk) {
    this.bytes += chunk.length;
    this.#hash.update(chunk);
    return chunk;
  }

  close() {
    return { bytes: this.bytes, sha256: this.#hash.digest("hex") };
  }
}

function note(file, id, sent, received) {
  appendFileSync(
    file,
    `${JSON.stringify({ id, sent: sent.close(), received: received.close() })}\n`,
  );
}

function serve(port, file) {
  createServer({ allowHalfOpen: true }, (socket) => {
    const [sent, received] = [new Count(), new Count()];
    let head = Buffer.alloc(0);
    let isWhole = false;
    socket.on("data", (chunk) => {
      if (head.length < idBytes) head = Buffer.concat([head, chunk]).subarray(0, idBytes);
      received.add(chunk);
    });
    socket.on("end", () => {
      isWhole = true;
      socket.end(sent.add(randomBytes(1 + randomInt(mostBytes))));
    });
    socket.on("error", () => (isWhole = false));
    socket.on("close", () => isWhole && note(file, head.toString("hex"), sent, received));
  }).listen(port, "::");
}

function ask(host, port, file) {
  return new Promise((resolve) => {
    const [sent, received] = [new Count(), new Count()];
    const id = randomBytes(idBytes);
    let isWhole = false;
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("connect", () => {
      socket.write(sent.add(id));
      socket.end(sent.add(randomBytes(randomInt(mostBytes))));
    });
    socket.on("data", (chunk) => received.add(chunk));
    socket.on("end", () => (isWhole = received.bytes > 0));
    socket.on("error", () => (isWhole = false));
    socket.on("close", () => {
      if (isWhole) note(file, id.toString("hex"), sent, received);
      resolve();
    });
  });
}

const [what, ...rest] = process.argv.slice(2);
if (what === "serve") serve(Number(rest[0]), rest[1]);
else
  for (;;) {
    await ask(rest[0], Number(rest[1]), rest[2]);
    await sleep(pauseMs);
  }
