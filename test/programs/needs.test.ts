// A command that needs a server starts when the server listens, and nobody probes the server.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

const server = `until test -e go; do sleep 0.05; done; exec node -e "
  let seen = 0; net.createServer((s) => s.end(String(++seen))).listen(7000)"`;
const client = `node -e "net.connect(7000, 'server').on('data', (d) => console.log(String(d)))"`;

describe("--needs", () => {
  needs();

  test("starts a command when the server listens, without a probe", async ({ plg }) => {
    const args = ["record", "--until=client", "--needs=Client=server:7000"];
    const run = await plg.run([...args, `server=${server}`, `client=${client}`, "third=touch go"]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["1"]);
    expect(run.stderr).toContain("plg: recorded 1 connection, 1 B in ");
  });

  test("never starts one whose server has ended, nor one when the run is over", async ({ plg }) => {
    const args = ["record", "--needs=client=server:7000"];
    const gone = await plg.run([...args, "server=true", `client=${client}`]);
    expect(gone.exitCode).toBe(1);
    expect(gone.stderr).toContain(
      "plg: client could not be started: it needs server:7000, but server ended without listening there",
    );
    const commands = ["server=sleep 60", `client=${client}`, "third=true"];
    const over = await plg.run([...args, "--until=third", ...commands]);
    expectOk(over);
  });

  test.for([
    ["client=server", /--needs 'client=server' is not NAME=SERVER:PORT/],
    ["client=server:70000", /is not SERVER:PORT/],
    ["client=nobody:1", /no container 'nobody' \(there are server, client\)/],
    ["client=client:1", /--needs 'client' waits for itself/],
  ] as const)("%s is refused", async ([need, says], { plg }) => {
    const run = await plg.run(["record", `--needs=${need}`, "server=true", "client=true"]);
    expect(run.stderr).toMatch(says);
    expect(run.exitCode).toBe(2);
  });
});
