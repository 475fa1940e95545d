/** Sends every message back, one connection after the other. Argument: the port. */
import {
  acceptFrom,
  closeSocket,
  listenOn,
  receiveMessage,
  sendMessage,
} from "./blocking-socket.ts";

const listener = listenOn(Number(process.argv[2]));
for (;;) {
  const connection = acceptFrom(listener);
  while (receiveMessage(connection)) sendMessage(connection);
  closeSocket(connection);
}
