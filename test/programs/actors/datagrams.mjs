/**
 * Questions and answers over UDP, one after the other.
 *
 *   serve PORT COUNT       answers so many datagrams and exits
 *   ask HOST PORT COUNT    asks again and again until there is an answer; prints the answers
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";

const [verb, ...args] = process.argv.slice(2);
const socket = createSocket("udp4");

if (verb === "serve") {
  const [port, count] = args.map(Number);
  let answered = 0;
  socket.bind(port, () => console.log("bound"));
  socket.on("message", (message, from) => {
    console.log(`got ${message.toString()}`);
    socket.send(`answer to ${message.toString()}`, from.port, from.address, () => {
      if (++answered === count) process.exit(0);
    });
  });
} else {
  const [host, port, count] = args;
  // A fixed port: a recorded answer goes to the port that the recorded question came from.
  socket.bind(7100);
  await once(socket, "listening");
  for (let i = 1; i <= Number(count); i++) {
    const ask = () => socket.send(`question ${i}`, Number(port), host);
    ask();
    const [answer] = await once(socket, "message");
    console.log(String(answer));
  }
  process.exit(0);
}
