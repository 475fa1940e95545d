// Encryption is passed on byte by byte, so it is recorded like anything else; but who takes part in it
// draws new secrets each time, so a replayed session cannot go beyond its beginning.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { test } from "./plg.ts";
import { expectDiffers, record } from "./replays.ts";

describe("sshd and scp, replayed", () => {
  needs("sshd", "scp", "ssh-keygen");

  test("recorded, a file is copied; replayed, either side ends with a report", async ({
    plg,
    folder,
  }) => {
    writeFileSync(join(folder, "original"), randomBytes(300_000));
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
    const server = `mkdir -p /run/sshd && exec $(command -v sshd) -D -e -f '${folder}/sshd_config'`;
    const options = `-P 2222 -i user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
    const client = `scp ${options} original root@server:'${folder}/copy'`;
    await record(plg, "--until=client", `server=${server}`, `client=${client}`);
    const copy = readFileSync(join(folder, "copy"));
    expect(copy.equals(readFileSync(join(folder, "original")))).toBe(true);
    for (const name of ["client", "server"]) {
      const { run, report } = await expectDiffers(plg, name, `--only=${name}`, "--patience=1s");
      // The banners are the same, and so is the head of the first packet; then come 16 random bytes.
      expect(report.differences[0]).toMatchObject({
        kind: "bytes",
        process: name,
        serverPort: 2222,
      });
      expect(report.differences[0]?.offset).toBeLessThan(100);
      expect(run.durationMs).toBeLessThan(15_000);
    }
  });
});
