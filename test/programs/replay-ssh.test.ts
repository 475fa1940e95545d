// Encryption is passed on byte by byte, so it is recorded like anything else. Without a seed,
// whoever takes part in it draws new secrets each time, so a replayed session cannot go beyond its
// beginning.
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needsRoot } from "./machine.ts";
import { test } from "./plg.ts";
import { expectDiffers, record } from "./replays.ts";
import { ssh } from "./servers.ts";

describe("sshd and scp, replayed", () => {
  // sshd insists that /run/sshd is root's; in a user namespace the machine's root is nobody.
  needsRoot("sshd", "scp", "ssh-keygen");

  test("recorded, a file is copied; replayed, either side ends with a report", async ({
    plg,
    folder,
  }) => {
    writeFileSync(join(folder, "original"), randomBytes(300_000));
    const { server, options } = ssh(folder);
    const client = `scp ${options} original root@server:'${folder}/copy'`;
    await record(plg, "--no-seed", "--until=client", server, `client=${client}`);
    const copy = readFileSync(join(folder, "copy"));
    expect(copy.equals(readFileSync(join(folder, "original")))).toBe(true);
    for (const name of ["client", "server"]) {
      const { run, report } = await expectDiffers(plg, name, `--only=${name}`, "--patience=1s");
      // The banners are the same, and so is the head of the first packet; then come 16 random
      // bytes.
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
