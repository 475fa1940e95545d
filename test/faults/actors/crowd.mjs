/**
 * Many connections at once.
 *
 *   serve PORT               send back whatever comes
 *   join HOST PORT COUNT     open so many connections, one after the other, and keep them; then use each that
 *                            was made; then end them all, and open one more. Prints what came of it.
 */
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const [mode, ...rest] = process.argv.slice(2);

function open(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port) }, () => resolve(socket));
    socket.once("error", (error) => resolve(error.code));
  });
}

function echoes(socket) {
  return new Promise((resolve) => {
    socket.once("data", (chunk) => resolve(chunk.toString() === "hello"));
    socket.once("close", () => resolve(false));
    socket.write("hello");
  });
}

async function join(host, port, count) {
  const results = [];
  for (let i = 0; i < Number(count); i++) results.push(await open(host, port));
  const sockets = results.filter((result) => typeof result !== "string");
  const codes = [...new Set(results.filter((result) => typeof result === "string"))];
  const echoed = (await Promise.all(sockets.map(echoes))).filter(Boolean).length;
  console.log(`connected ${sockets.length}, echoed ${echoed}, the others ${codes.join(" ")}`);
  for (const socket of sockets) socket.end();
  let again = "";
  for (; typeof again === "string"; await sleep(10)) again = await open(host, port);
  console.log("connected again");
  process.exit(0);
}

if (mode === "serve")
  createServer((socket) => socket.pipe(socket)).listen(Number(rest[0]), "0.0.0.0");
else await join(...rest);
