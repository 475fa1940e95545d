// An HTTP/2 server in the clear, or a client that makes requests at once on one connection.
import http2 from "node:http2";

const [role, host] = process.argv.slice(2);

if (role === "server") {
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    const isThere = headers[":path"].startsWith("/items/");
    stream.respond({ ":status": isThere ? 200 : 404, "content-type": "text/plain" });
    stream.end(isThere ? `item ${headers[":path"].slice("/items/".length)}` : undefined);
  });
  server.listen(8080, "::");
} else {
  const session = http2.connect(`http://${host}:8080`);
  let left = 0;
  for (const path of ["/items/1", "/items/2", "/nothing"]) {
    left++;
    session
      .request({ ":path": path })
      .on("close", () => --left || session.close())
      .resume()
      .end();
  }
}
