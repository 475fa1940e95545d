/**
 * A flow of bytes over TCP that tells from any piece of it where the piece belongs: each word of
 * four bytes is its own number, little-endian. So a receiver, or a dump, shows what is missing,
 * doubled or changed.
 *
 *   serve PORT                     accept one connection, check what comes, print how much came
 *   send HOST PORT BYTES [COUNT]   send so many bytes ('endless': until ended); how many are sent so far is
 *                                  in the file COUNT, if one is given
 *
 * SIGTERM makes either print what it would have printed at the end.
 */
import { renameSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { endianness } from "node:os";

const wordsPerChunk = 16_384;
const [mode, ...rest] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);

function finish(text) {
  say(text);
  process.exit(0);
}

function serve(port) {
  let received = 0;
  let wrongAt = -1;
  const check = (chunk) => {
    for (let i = 0; i < chunk.length; i++, received++) {
      const expected = ((received >>> 2) >>> (8 * (received & 3))) & 0xff;
      if (chunk[i] !== expected && wrongAt < 0) wrongAt = received;
    }
  };
  const tell = () =>
    finish(`received ${received} ${wrongAt < 0 ? "right" : `wrong at ${wrongAt}`}`);
  process.on("SIGTERM", tell);
  const server = createServer((socket) => {
    server.close();
    socket.on("data", check).on("end", tell).on("error", tell);
  });
  server.listen(Number(port), "0.0.0.0", () => say("listening"));
}

function send(host, port, bytes, countPath) {
  const most = bytes === "endless" ? Infinity : Number(bytes);
  let sent = 0;
  let queued = 0;
  let said = false;
  const socket = connect({ host, port: Number(port) }, next);
  const tell = () => finish(`sent ${sent}`);
  process.on("SIGTERM", tell);
  socket.on("error", (error) => finish(`broke ${error.code} after ${sent}`));
  if (countPath !== undefined) setInterval(() => note(countPath, sent), 20).unref();

  function next() {
    if (queued >= most) {
      socket.end(tell);
      return;
    }
    const words = new Uint32Array(wordsPerChunk);
    for (let i = 0; i < words.length; i++) words[i] = queued / 4 + i;
    const chunk = Buffer.from(words.buffer).subarray(0, Math.min(most - queued, 4 * wordsPerChunk));
    if (endianness() === "BE") chunk.swap32();
    queued += chunk.length;
    socket.write(chunk, () => {
      sent += chunk.length;
      if (!said) say("flowing");
      said = true;
      // Not in this turn: what is to be read and noted besides has its turn, too.
      setImmediate(next);
    });
  }
}

/** Whoever reads it sees a whole number. */
function note(path, count) {
  writeFileSync(`${path}.new`, String(count));
  renameSync(`${path}.new`, path);
}

if (mode === "serve") serve(...rest);
else send(...rest);
