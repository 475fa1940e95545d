/**
 * Questions and answers, one line each, over TCP.
 *
 *   serve PORT [WORD]                        answers each line with "WORD: line"; WORD is "answer" unless given
 *   ask HOST PORT COUNT [PAUSE_MS [WORD]]    one connection, one question after the other; prints the answers
 *   ask-at-once HOST PORT COUNT [SEED]       a connection for each question, all at once, in an order that SEED
 *                                            shuffles; prints how many were answered as they should be
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [verb, ...args] = process.argv.slice(2);

/**
 * One attempt. By itself Node tries the other IP family after 250 ms, and a slow machine makes
 * another run.
 */
const dial = (host, port, onConnect) =>
  connect({ host, port: Number(port), autoSelectFamily: false }, onConnect);

function serve(port, word = "answer") {
  const server = createServer({ allowHalfOpen: false }, (socket) => {
    socket.on("error", () => {});
    createInterface({ input: socket }).on("line", (line) => socket.write(`${word}: ${line}\n`));
  });
  server.listen({ port: Number(port), backlog: 4096 }, () => console.log("listening"));
}

async function ask(host, port, count, pauseMs = "0", word = "question") {
  const socket = dial(host, port);
  await once(socket, "connect");
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  for (let i = 1; i <= Number(count); i++) {
    if (i > 1) await sleep(Number(pauseMs));
    socket.write(`${word} ${i}\n`);
    const { value, done } = await answers.next();
    console.log(done ? "no answer" : value);
  }
  socket.end();
}

/**
 * The numbers from 0 to `count`, in an order that depends on `seed` alone; 0 leaves them as they
 * are.
 */
function order(count, seed) {
  const numbers = Array.from({ length: count }, (_, i) => i);
  if (seed === 0) return numbers;
  const rank = (n) => ((n + seed) * 2_654_435_761) % 4_294_967_296;
  return numbers.toSorted((a, b) => rank(a) - rank(b));
}

async function askAtOnce(host, port, count, seed = "0") {
  const right = order(Number(count), Number(seed)).map(
    (i) =>
      new Promise((resolve) => {
        const socket = dial(host, port, () => socket.write(`number ${i}\n`));
        socket.on("error", (error) => resolve(error.code));
        createInterface({ input: socket }).once("line", (line) => {
          socket.end();
          resolve(line === `answer: number ${i}` ? "right" : `wrong: ${line}`);
        });
      }),
  );
  const counts = {};
  for (const answer of await Promise.all(right)) counts[answer] = (counts[answer] ?? 0) + 1;
  console.log(JSON.stringify(counts));
}

if (verb === "serve") serve(...args);
else if (verb === "ask") await ask(...args);
else await askAtOnce(...args);
