import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields, streamBytes, tcpComplaints } from "./dump.ts";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

/** Writes what nginx needs into the folder, with a file of random bytes to fetch; returns the command and the file's hash. */
function site(folder: string, lengthBytes: number): { server: string; sha256: string } {
  mkdirSync(join(folder, "site"));
  const hash = createHash("sha256");
  const path = join(folder, "site/file");
  const partBytes = 1 << 20;
  for (let at = 0; at < lengthBytes; at += partBytes) {
    const part = randomBytes(Math.min(partBytes, lengthBytes - at));
    hash.update(part);
    writeFileSync(path, part, { flag: "a" });
  }
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; error_log stderr; pid ${folder}/nginx.pid;
    events {}
    http {
      access_log off; client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
      server { listen 80; listen [::]:80; root ${folder}/site; }
    }`,
  );
  return { server: `server=nginx -c '${folder}/nginx.conf'`, sha256: hash.digest("hex") };
}

describe("nginx and curl", () => {
  needs("nginx", "curl", "tshark");

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
