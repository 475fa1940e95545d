/**
 * One TCP connection, step by step, as its arguments say; each step prints what came of it.
 *
 *   listen=PORT           accept one connection (IPv4 and IPv6)
 *   connect=HOST:PORT     connect; the host may be a name, an address, or an IPv6 address in brackets
 *   addresses             print both ends as the kernel tells them
 *   send=TEXT             send this; sendbytes=N sends so many bytes of a pattern
 *   read=N                wait for so many bytes and print them
 *   read-end              read to the end and print what came, and how it ended
 *   count-end             the same, but print only how many bytes came
 *   end                   send FIN; reset: send RST; wait-error: wait until the connection breaks
 *   touch=PATH            make a file; await=PATH waits until it is there
 */
import { existsSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

let socket;
let received = [];
let receivedBytes = 0;
let over; // "end", or an error's code
let wake = () => {};

const say = (text) => process.stdout.write(`${text}\n`);

function finish(how) {
  over ??= how;
  wake();
}

/** An IPv4 address in IPv6 clothes, as a listener for both tells it, without them. */
function plain(address) {
  return address.replace(/^::ffff:/, "");
}

function adopt(newSocket) {
  socket = newSocket;
  socket.on("data", (chunk) => {
    received.push(chunk);
    receivedBytes += chunk.length;
    wake();
  });
  socket.on("end", () => finish("end"));
  socket.on("error", (error) => finish(error.code));
  socket.on("close", () => finish("close"));
}

async function until(holds) {
  while (!holds())
    await new Promise((resolve) => {
      wake = resolve;
    });
}

function listen(port) {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false });
    server.once("error", reject);
    server.once("connection", (accepted) => {
      adopt(accepted);
      server.close();
      resolve();
    });
    server.listen(Number(port), () => say("listening"));
  });
}

function dial(target) {
  const { hostname, port } = new URL(`tcp://${target}`);
  return new Promise((resolve) => {
    const host = hostname.replaceAll(/[[\]]/g, "");
    const connecting = connect({ host, port: Number(port), allowHalfOpen: true });
    connecting.once("error", (error) => {
      say(`error ${error.code}`);
      resolve();
    });
    connecting.once("connect", () => {
      connecting.removeAllListeners("error");
      adopt(connecting);
      say("connected");
      resolve();
    });
  });
}

function take() {
  const bytes = Buffer.concat(received);
  received = [];
  receivedBytes = 0;
  return bytes;
}

const steps = {
  listen,
  connect: dial,
  addresses: () => {
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    say(`local ${plain(localAddress)} ${localPort} remote ${plain(remoteAddress)} ${remotePort}`);
  },
  send: (text) => new Promise((resolve) => socket.write(text, resolve)),
  sendbytes: (count) =>
    new Promise((resolve) =>
      socket.write(Buffer.alloc(Number(count), "0123456789abcdef"), resolve),
    ),
  read: async (count) => {
    await until(() => receivedBytes >= Number(count) || over);
    say(`received ${take().toString()}`);
  },
  "read-end": async () => {
    await until(() => over);
    say(`received ${take().toString()}`);
    say(over);
  },
  "count-end": async () => {
    await until(() => over);
    say(`received ${receivedBytes} bytes`);
    say(over);
  },
  "wait-error": async () => {
    await until(() => over && over !== "end");
    say(over);
  },
  end: () => new Promise((resolve) => socket.end(resolve)),
  reset: () => socket.resetAndDestroy(),
  touch: (path) => writeFileSync(path, ""),
  await: async (path) => {
    while (!existsSync(path)) await sleep(5);
  },
};

for (const argument of process.argv.slice(2)) {
  const [, name, value] = /^([^=]*)=?(.*)$/.exec(argument);
  await steps[name](value);
}
// What is still open ends as the process does.
process.exit(0);
