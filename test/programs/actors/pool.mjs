/**
 * A store, and a client with a pool of connections to it. Which connection takes which request, and
 * when it is answered, is chance. Requests and answers carry a number that is never the same.
 *
 *   serve PORT                   logs clients in and answers their requests, each after a moment
 *   ask HOST PORT SIZE COUNT     COUNT requests at once over a pool of SIZE connections; says how many
 *                                were answered correctly
 *
 * FAULT in the environment makes either do one thing otherwise.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const fault = process.env.FAULT ?? "";
const [verb, ...args] = process.argv.slice(2);
const stamp = () => `${process.hrtime.bigint()}`.padStart(20, "0");

/** What the store answers, with the fault if it has one and this is the third request. */
function answerTo(key, number) {
  const isThird = number === 3;
  const value = isThird && fault === "swapped answer" ? "k0" : key;
  const status = isThird && fault === "wrong status" ? "500" : "200";
  const header = isThird && fault === "changed answer header" ? "Type: text" : "type: text";
  const text = `${status} ${header} stamp=${stamp()};value of ${value}\n`;
  if (isThird && fault === "answer twice") return text + text;
  if (isThird && fault === "answer too long") return text.replace("\n", "!\n");
  if (isThird && fault === "answer too short") return text.replace(/.\n/, "\n");
  return isThird && fault === "no answer" ? "" : text;
}

let requests = 0;

function welcome(socket) {
  if (fault !== "no welcome") socket.write(fault === "other welcome" ? "wilcome\n" : "welcome\n");
}

async function answer(socket, key, number) {
  await sleep((7 * number) % 11);
  if (number === 3 && fault === "early close by the server") socket.end();
  else if (number === 3 && fault === "reset by the server") socket.resetAndDestroy();
  else socket.write(answerTo(key, number));
}

function serveOn(socket) {
  socket.on("error", () => {});
  createInterface({ input: socket }).on("line", async (line) => {
    if (line.startsWith("login")) welcome(socket);
    else await answer(socket, line.split(" ")[1], ++requests);
  });
}

function serve(port) {
  if (fault === "does not listen") setTimeout(() => {}, 60_000);
  else createServer(serveOn).listen({ port: Number(port) });
}

/** A connection that has logged in. */
async function open(host, port, number) {
  const socket = connect({ host, port: Number(port), autoSelectFamily: false });
  socket.on("error", () => {});
  await once(socket, "connect");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.write(number === 1 && fault === "other login" ? "login mallory\n" : "login alice\n");
  await lines.next();
  if (number === 1 && fault === "early close") socket.end();
  if (number === 1 && fault === "reset") socket.resetAndDestroy();
  return { socket, lines };
}

function requestFor(key) {
  const request = `get ${key} stamp=${stamp()};accept: text\n`;
  if (key !== "k3") return request;
  if (fault === "changed header") return request.replace("accept", "Accept");
  if (fault === "byte missing at the end") return request.replace("text\n", "tex\n");
  if (fault === "byte too many") return request.replace("text\n", "texts\n");
  if (fault === "other request") return request.replace("k3", "k3000");
  return fault === "request twice" ? request + request : request;
}

async function ask(host, port, size, count) {
  const idle = [];
  const waiting = [];
  const release = (one) => (waiting.length > 0 ? waiting.shift()(one) : idle.push(one));
  const lease = () => idle.pop() ?? new Promise((resolve) => waiting.push(resolve));
  const connections =
    Number(size) + (fault === "extra connection") - (fault === "connection missing");
  const keys = Array.from({ length: Number(count) }, (_, i) => `k${i}`);
  if (fault === "request missing") keys.splice(3, 1);
  if (fault === "request more") keys.push("k1");
  let right = 0;
  const done = keys.map(async (key) => {
    const one = await lease();
    one.socket.write(requestFor(key));
    const { value = "" } = await one.lines.next();
    if (value.endsWith(`;value of ${key}`)) right++;
    release(one);
  });
  const all = [];
  for (let i = 0; i < connections; i++)
    all.push(open(host, port, i).then((one) => (release(one), one)));
  await Promise.all(done);
  for (const { socket } of await Promise.all(all)) socket.end();
  console.log(`${right} right`);
  if (fault === "does not end") setTimeout(() => {}, 60_000);
}

if (verb === "serve") serve(...args);
else await ask(...args);
