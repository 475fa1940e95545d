import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields, streamBytes, tcpComplaints } from "./dump.ts";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";
import { nginx } from "./servers.ts";

/** nginx with a file of random bytes to fetch, and the file's hash. */
function site(folder: string, lengthBytes: number): { server: string; sha256: string } {
  const file = randomBytes(lengthBytes);
  const sha256 = createHash("sha256").update(file).digest("hex");
  return { server: nginx(folder, { file }), sha256 };
}

describe("nginx and curl", () => {
  needs("nginx", "curl", "tshark");

  test("one socket on [::] is reached over both families, and sees IPv4 clients as such", async ({
    plg,
    folder,
  }) => {
    const extra = "listen [::]:80 ipv6only=off; location /who { return 200 $remote_addr\\n; }";
    const server = nginx(folder, {}, extra);
    const client = "client=for v in 4 6; do curl -$v -sS --fail http://server/who || exit 1; done";
    const run = await record(plg, "--until=client", server, client);
    const seen = ["::ffff:10.0.0.2", "fd70:6c67:a00::2"];
    expect(linesOf(run, "client")).toEqual(seen);
    const alone = await expectSame(plg, "--only=client");
    expect(alone.lines("client")).toEqual(seen);
    await expectSame(plg, "--only=server", "--ignore=server:80/^Date: .*$/m");
  });

  test("200 MB arrive as they were sent", async ({ plg, folder }) => {
    const { server, sha256 } = site(folder, 200_000_000);
    const client = "client=curl -sS --fail http://10.0.0.1/file | sha256sum";
    const run = await plg.run(["record", "--wait-listen=10s", "--until=client", server, client]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual([`${sha256}  -`]);
    expect(run.stderr).toMatch(/recorded 1 connection, 200 MB/);
  });

  test.for([
    { family: "IPv4", option: "-4", serverAddress: "10.0.0.1" },
    { family: "IPv6", option: "-6", serverAddress: "fd70:6c67:a00::1" },
  ])(
    "over $family, tshark reassembles from the dump what was exchanged",
    async (lane, { plg, folder }) => {
      const { server, sha256 } = site(folder, 5_000_000);
      const client = `client=curl ${lane.option} -sS --fail -D fetched.head -o fetched.body http://server/file`;
      const run = await plg.run(["record", "--wait-listen=10s", "--until=client", server, client]);
      expectOk(run);
      const dump = join(folder, "dump.traffic");
      const head = readFileSync(join(folder, "fetched.head"));
      const body = readFileSync(join(folder, "fetched.body"));
      expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
      const answer = await streamBytes(dump, 0, lane.serverAddress);
      expect(answer.equals(Buffer.concat([head, body]))).toBe(true);
      expect(await fields(dump, "http.request", "http.host", "http.request.uri")).toEqual([
        "server\t/file",
      ]);
      expect(await tcpComplaints(dump)).toEqual([]);
    },
  );
});
