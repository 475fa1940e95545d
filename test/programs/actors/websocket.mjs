// A WebSocket server that says everything back, or a client that says some things to it.
import { WebSocket, WebSocketServer } from "ws";

const [role, host] = process.argv.slice(2);

if (role === "server") {
  const server = new WebSocketServer({ host: "::", port: 8080 });
  server.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
} else {
  const socket = new WebSocket(`ws://${host}:8080/chat`);
  const said = ["hello", Buffer.alloc(3000)];
  socket.on("open", () => socket.send(said.shift()));
  socket.on("message", () => {
    const next = said.shift();
    if (next) socket.send(next);
    else socket.close(1000, "done");
  });
}
