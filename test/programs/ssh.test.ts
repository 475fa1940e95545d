import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needsRoot } from "./machine.ts";
import { expectOk, test } from "./plg.ts";
import { ssh } from "./servers.ts";

describe("sshd and scp", () => {
  // sshd insists that /run/sshd is root's; in a user namespace the machine's root is nobody.
  needsRoot("sshd", "scp", "ssh-keygen");

  test.for([
    { family: "IPv4", host: "10.0.0.1" },
    { family: "IPv6", host: "[fd70:6c67:a00::1]" },
  ])(
    "over $family, a file is copied both ways and is the same",
    async ({ host }, { plg, folder }) => {
      const file = randomBytes(3_000_000);
      const sha256 = createHash("sha256").update(file).digest("hex");
      writeFileSync(join(folder, "original"), file);
      const { server, options } = ssh(folder);
      const client = `scp ${options} original root@${host}:'${folder}/there' && scp ${options} root@${host}:'${folder}/there' back`;
      const run = await plg.run([
        "record",
        "--wait-listen=10s",
        "--until=client",
        server,
        `client=${client}`,
      ]);
      expectOk(run);
      for (const copy of ["there", "back"]) {
        const copied = readFileSync(join(folder, copy));
        expect(createHash("sha256").update(copied).digest("hex"), copy).toBe(sha256);
      }
      expect(run.stderr).toMatch(/recorded 2 connections/);
    },
  );
});
