// An HTTP server whose answers vary from run to run: a UUID, a token, times. Its argument is a word
// in each answer.
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const [word = "steady"] = process.argv.slice(2);

createServer(({ url }, answer) => {
  // It varies only from second to second, so not in all pairs of runs.
  answer.sendDate = false;
  answer.setHeader("X-Request-Id", randomUUID());
  answer.setHeader("Set-Cookie", `session=${randomBytes(16).toString("hex")}; Path=/`);
  const at = new Date().toISOString();
  // Of one length, so that no other header varies with it.
  const tookNs = String(Math.round(performance.now() * 1e6)).padStart(15, "0");
  answer.end(JSON.stringify({ url, at, word, tookNs }));
}).listen(80, "0.0.0.0");
