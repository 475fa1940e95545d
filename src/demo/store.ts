/**
 * The demo's server: a key-value store with a queue. Each request and each answer is one line of
 * text.
 *
 *     PUSH text     puts a job in the queue            OK
 *     POP           takes the next job, waits for one  text
 *     SET key text  stores a value                     OK
 *     GET key       returns a value, waits for one     text
 *     STOP          ends the store                     OK
 *
 * The answers depend on the requests alone, however they interleave, so a replay produces the same
 * ones.
 */
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

type Answer = (text: string) => void;

const jobs: string[] = [];
const poppers: Answer[] = [];
const values = new Map<string, string>();
const getters = new Map<string, Answer[]>();

const commands: Readonly<Record<string, (rest: string, answer: Answer) => void>> = {
  PUSH(job, answer) {
    const popper = poppers.shift();
    if (popper) popper(job);
    else jobs.push(job);
    answer("OK");
  },
  POP(_, answer) {
    const job = jobs.shift();
    if (job === undefined) poppers.push(answer);
    else answer(job);
  },
  SET(rest, answer) {
    const [key = "", value = ""] = rest.split(/ (.*)/s);
    values.set(key, value);
    for (const getter of getters.get(key) ?? []) getter(value);
    getters.delete(key);
    answer("OK");
  },
  GET(key, answer) {
    const value = values.get(key);
    if (value === undefined) getters.set(key, [...(getters.get(key) ?? []), answer]);
    else answer(value);
  },
  STOP(_, answer) {
    answer("OK");
    server.close();
  },
};

function serve(socket: Socket): void {
  console.log(`${socket.remoteAddress} has connected`);
  socket.on("error", () => {});
  const answer: Answer = (text) => socket.write(`${text}\n`);
  createInterface(socket).on("line", (line) => {
    const [name = "", rest = ""] = line.split(/ (.*)/s);
    const command = commands[name];
    if (command) command(rest, answer);
    else answer(`what is ${name}?`);
  });
}

const server = createServer(serve);
server.listen(7000, "0.0.0.0");
