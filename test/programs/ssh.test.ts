import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, test } from "./plg.ts";

describe("sshd and scp", () => {
  needs("sshd", "scp", "ssh-keygen");

  test("a file is copied both ways and is the same", async ({ plg, folder }) => {
    const file = randomBytes(3_000_000);
    const sha256 = createHash("sha256").update(file).digest("hex");
    writeFileSync(join(folder, "original"), file);
    for (const key of ["host", "user"])
      execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, key)]);
    writeFileSync(join(folder, "authorized"), readFileSync(join(folder, "user.pub")), {
      mode: 0o600,
    });
    writeFileSync(
      join(folder, "sshd_config"),
      `HostKey ${folder}/host\nPort 2222\nPidFile none\nUsePAM no\nStrictModes no\n` +
        `PermitRootLogin yes\nAuthorizedKeysFile ${folder}/authorized\nSubsystem sftp internal-sftp\n`,
    );
    // The folder that sshd insists on is made where the machine has none.
    const server = `mkdir -p /run/sshd && exec $(command -v sshd) -D -e -f '${folder}/sshd_config'`;
    const options = `-P 2222 -i user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
    const client = `scp ${options} original root@server:'${folder}/there' && scp ${options} root@server:'${folder}/there' back`;
    const run = await plg.run([
      "record",
      "--wait-listen=10s",
      "--until=client",
      `server=${server}`,
      `client=${client}`,
    ]);
    expectOk(run);
    for (const copy of ["there", "back"]) {
      const copied = readFileSync(join(folder, copy));
      expect(createHash("sha256").update(copied).digest("hex"), copy).toBe(sha256);
    }
    expect(run.stderr).toMatch(/recorded 2 connections/);
  });
});
