// Asks PostgreSQL one query over TLS, as drivers do: a request for TLS in the clear, then the
// session inside it. Its arguments are the host and the query; it prints the first column.
import { connect as dial } from "node:net";
import { connect as secure } from "node:tls";

const [host, query] = process.argv.slice(2);

function message(type, body) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(4 + body.length);
  return Buffer.concat([Buffer.from(type), length, body]);
}

const socket = dial(5432, host);
// SSLRequest (PostgreSQL's protocol, section 55.2.11); the server answers with an S.
socket.write(message("", Buffer.of(0x04, 0xd2, 0x16, 0x2f)));
socket.once("data", (answer) => {
  if (answer.toString() !== "S") throw new Error(`no TLS: ${answer.toString()}`);
  const session = secure({ socket, rejectUnauthorized: false });
  session.write(message("", Buffer.from("\0\x03\0\0user\0postgres\0database\0postgres\0\0")));
  let received = Buffer.alloc(0);
  let hasAsked = false;
  session.on("data", (bytes) => {
    received = Buffer.concat([received, bytes]);
    while (received.length >= 5 && received.length > received.readUInt32BE(1)) {
      const end = 1 + received.readUInt32BE(1);
      const [type, body] = [String.fromCharCode(received[0]), received.subarray(5, end)];
      received = received.subarray(end);
      if (type === "E") throw new Error(body.toString());
      if (type === "D") console.log(body.subarray(6).toString());
      if (type !== "Z") continue;
      if (hasAsked) session.end(message("X", Buffer.alloc(0)));
      else session.write(message("Q", Buffer.from(`${query}\0`)));
      hasAsked = true;
    }
  });
});
