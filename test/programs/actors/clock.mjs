/**
 * Connects to HOST PORT and sends the time, in milliseconds and one line each, every 5 ms until it
 * is ended.
 */
import { connect } from "node:net";

const [host, port] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) }, () => {
  console.log("ticking");
  setInterval(() => socket.write(`${Date.now()}\n`), 5);
});
socket.on("error", () => process.exit(1));
