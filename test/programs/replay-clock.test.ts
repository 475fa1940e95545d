// The time of day in a replay: the recorded one, so that what has expired since has not.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { test } from "./plg.ts";
import { expectDiffers, expectSame, record } from "./replays.ts";
import { nginx } from "./servers.ts";

/** As `openssl ca` takes it. */
function stamp(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
}

/** The times since the epoch that a command printed. */
function secondsIn(lines: readonly string[]): number[] {
  return (
    lines
      .join(" ")
      .match(/\b\d{10}\b/g)
      ?.map(Number) ?? []
  );
}

/** Writes a certificate that is valid for a few seconds, from now on. */
function shortLivedCertificate(folder: string, seconds: number): number {
  const run = (...args: readonly string[]): void =>
    void execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  run("req", "-new", ...key, "-subj", "/CN=server", "-keyout", "key.pem", "-out", "request.pem");
  writeFileSync(join(folder, "index.txt"), "");
  writeFileSync(join(folder, "serial"), "01\n");
  writeFileSync(
    join(folder, "ca.cnf"),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=any\nx509_extensions=names\n[any]\ncommonName=supplied\n[names]\nsubjectAltName=DNS:server\nbasicConstraints=CA:TRUE\n`,
  );
  const endMs = Math.floor(Date.now() / 1000) * 1000 + seconds * 1000;
  const from = stamp(endMs - 3_600_000);
  const validity = ["-startdate", from, "-enddate", stamp(endMs)];
  run(
    "ca",
    "-batch",
    "-config",
    "ca.cnf",
    "-selfsign",
    "-keyfile",
    "key.pem",
    "-in",
    "request.pem",
    ...validity,
    "-out",
    "cert.pem",
    "-notext",
  );
  return endMs;
}

describe("the time of day in a replay", () => {
  needs("nginx", "openssl", "python3");

  test("is the recorded one: a certificate has not expired, on either side", async ({
    plg,
    folder,
  }) => {
    const endMs = shortLivedCertificate(folder, 15);
    const server = nginx(
      folder,
      { page: "hello\n" },
      `listen 443 ssl; ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`,
    );
    writeFileSync(
      join(folder, "get.py"),
      "import ssl, urllib.request\n" +
        "context = ssl.create_default_context(cafile='cert.pem')\n" +
        "print(urllib.request.urlopen('https://server/page', context=context).read().decode())\n",
    );
    await record(plg, "--until=client", server, "client=python3 get.py");
    await sleep(Math.max(0, endMs + 1000 - Date.now()));
    await expectSame(plg, "--only=client");
    // The answer has a Date.
    await expectSame(plg, "--only=server");
    const { report } = await expectDiffers(plg, "client", "--only=client", "--clock=real");
    expect(report.commands[0]?.exitCode).toBe(1);
  });
});

describe("every way to ask for the time of day", () => {
  needs("python3", "perl", "date", "nc");

  test("has the same answer, to the second, and timers run as usual", async ({ plg, folder }) => {
    writeFileSync(
      join(folder, "tell.sh"),
      `read -r greeting
date -u +%FT%T
python3 -c 'import time; print(int(time.time()), time.clock_gettime_ns(5) // 10**9)'
perl -e 'use Time::HiRes; my ($s) = Time::HiRes::gettimeofday(); print time, " $s\\n"'
node -e 'console.log(Math.floor(Date.now() / 1000)); const t = performance.now(); setTimeout(() => console.log(performance.now() - t >= 199), 200)'
`,
    );
    const server = "server=nc -N -l 7000 <reply";
    writeFileSync(join(folder, "reply"), "hello\n");
    // Not at a second's end: what a process asks for between two events may come a little later.
    const client = `client=until [ $(date +%-N) -lt 200000000 ]; do sleep 0.01; done; sleep 0.3; nc server 7000 </dev/null | sh tell.sh`;
    const run = await record(plg, "--until=client", server, client);
    const told = run.stdout.split("\n").filter((line) => line.startsWith("client"));
    expect(told.length).toBe(5);
    await sleep(2500);
    const again = await expectSame(
      plg,
      "--only=client",
      "client=nc server 7000 </dev/null | sh tell.sh",
    );
    const [before, after] = [secondsIn(told), secondsIn(again.lines("client"))];
    expect(after.length).toBe(before.length);
    for (const [i, second] of after.entries())
      expect(Math.abs(second - (before[i] ?? 0))).toBeLessThanOrEqual(1);
    expect(again.lines("client").at(-1)).toBe("true");
  });
});
