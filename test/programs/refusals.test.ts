// A refusal is explained where its reason is a mistake that is made often.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { test } from "./plg.ts";

function serverOn(address: string): string {
  return `server=node -e "net.createServer((s) => s.end('bye')).listen(7000, '${address}', () => console.log('ready'))"`;
}

/**
 * Tries again and again, as there is a moment before the server listens, until plg has said why.
 */
const client = `client=node -e "let tries = 0; (function go() {
  net.connect({ host: 'server', port: 7000, family: 4 })
    .on('error', () => tries++ < 100 ? setTimeout(go, 50) : process.exit(3)).resume(); })()"`;

describe("a server on the loopback address", () => {
  needs();

  test.for(["127.0.0.1", "::1"])("%s alone is named when it refuses", async (address, { plg }) => {
    const running = plg.start(["record", "--until=client", serverOn(address), client]);
    await running.prints(
      /plg: server refused client at port 7000: it listens there on the loopback/,
    );
    running.kill("SIGINT");
    const run = await running.ended;
    expect(run.stderr.match(/loopback/g), "it is said once").toHaveLength(1);
  });

  test("or on any other is not", async ({ plg }) => {
    const refused = `client=node -e "net.connect(7001, '10.0.0.1').on('error', () => {})"`;
    const run = await plg.run(["record", "--until=client", serverOn("0.0.0.0"), refused]);
    expect(run.stderr).not.toContain("loopback");
  });
});
