// What plg says on machines that cannot run it, and how it does without root where it can.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { tshark } from "./dump.ts";
import { needs, needsRoot } from "./machine.ts";
import { placeOf, programPath } from "./program-path.ts";
import { actor, expectOk, linesOf, test } from "./plg.ts";

const talk = actor("talk.mjs");
const asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/** Runs plg in a mount namespace of its own, after `prepare`; `$1` there is the test's folder. */
function inPrivateMounts(folder: string, prepare: string, launch = ""): string[] {
  const script = `set -e; folder=$1; shift; ${prepare}; exec ${launch} "$@"`;
  return ["unshare", "--mount", "/bin/sh", "-c", script, "sh", folder];
}

/** A device that everybody may open, as most distributions have it. */
const openDevice =
  'mknod "$folder/tun" c 10 200; chmod 666 "$folder/tun"; mount --bind "$folder/tun" /dev/net/tun';
const closedDevice =
  'mknod "$folder/tun" c 10 200; chmod 600 "$folder/tun"; mount --bind "$folder/tun" /dev/net/tun';

describe("without root", () => {
  needsRoot("setpriv", "unshare", "mount", "newuidmap");

  test("plg records in a user namespace", async ({ plg, folder }) => {
    chmodSync(folder, 0o777);
    const run = await plg.run(
      [
        "record",
        "--wait-listen=10s",
        `server=id -u; ${talk} listen=7000 read-end`,
        `client=${talk} connect=10.0.0.1:7000 send=unprivileged end`,
      ],
      { through: inPrivateMounts(folder, openDevice, asNobody) },
    );
    expectOk(run);
    expect(linesOf(run, "server")).toContain("received unprivileged");
    await tshark(join(folder, "dump.traffic"));
  });

  test("with subordinate ids, commands can be other users, and servers change to them", async ({
    plg,
    folder,
  }) => {
    chmodSync(folder, 0o777);
    // Root's own files are bound over, so that nobody has subordinate ids for this test.
    const ids = `for file in subuid subgid; do echo nobody:100000:65536 >"$folder/$file"; touch /etc/$file; mount --bind "$folder/$file" /etc/$file; done`;
    const run = await plg.run(["record", "--uid=daemon", "one=id -un; id -gn"], {
      through: inPrivateMounts(folder, `${openDevice}; ${ids}`, asNobody),
    });
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["daemon", "daemon"]);
  });

  test("a signal to plg ends the run all the same", async ({ plg, folder }) => {
    chmodSync(folder, 0o777);
    const run = plg.start(["record", "one=echo started; sleep 1000"], {
      through: inPrivateMounts(folder, openDevice, asNobody),
    });
    await run.prints(/started/);
    run.kill("SIGTERM");
    const ended = await run.ended;
    expect(ended).toMatchObject({ exitCode: 143, signal: null });
    expect(ended.stderr).toMatch(/recorded 0 connections/);
  });

  test("kill -9 leaves nothing", async ({ plg, folder }) => {
    chmodSync(folder, 0o777);
    const run = plg.start(["record", "one=echo started; sleep 1000"], {
      through: inPrivateMounts(folder, openDevice, asNobody),
    });
    await run.prints(/started/);
    run.kill("SIGKILL");
    await run.ended;
  });
});

describe("where a user cannot record", () => {
  needsRoot("setpriv", "unshare", "mount", "newuidmap");

  test("as /dev/net/tun is closed, plg says how to open it", async ({ plg, folder }) => {
    chmodSync(folder, 0o777);
    const run = await plg.run(["record", "true"], {
      through: inPrivateMounts(folder, closedDevice, asNobody),
    });
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toMatch(/^plg: cannot open \/dev\/net\/tun: [^\n]*chmod 0666[^\n]*\n$/);
  });

  test("as user namespaces are off, plg says so", async ({ plg, folder }) => {
    chmodSync(folder, 0o777);
    // Nothing that a test may switch off on a machine, so unshare only says what it says then.
    mkdirSync(join(folder, "bin"));
    const failing =
      "#!/bin/sh\necho 'unshare: unshare failed: No space left on device' >&2\nexit 1\n";
    writeFileSync(join(folder, "bin/unshare"), failing, { mode: 0o755 });
    const run = await plg.run(["record", "true"], {
      through: asNobody.split(" "),
      env: { PATH: `${folder}/bin:${programPath}` },
    });
    expect(run.stderr).toMatch(/^plg: [^\n]*user namespace[^\n]*unshare failed[^\n]*\n$/);
    expect(run.exitCode).toBe(4);
  });

  test("another user for the commands is not to be had, and plg says so", async ({
    plg,
    folder,
  }) => {
    chmodSync(folder, 0o777);
    const run = await plg.run(["record", "--uid=daemon", "id -u"], {
      through: inPrivateMounts(folder, openDevice, asNobody),
    });
    expect(run.stderr).toMatch(/^plg: [^\n]*root[^\n]*\n$/);
    expect(run.exitCode).toBe(4);
  });
});

describe("without /dev/net/tun", () => {
  needsRoot("unshare", "mount");

  test("plg says how to get it", async ({ plg, folder }) => {
    const run = await plg.run(["record", "true"], {
      through: inPrivateMounts(folder, "mount -t tmpfs none /dev/net"),
    });
    expect(run.exitCode).toBe(4);
    expect(run.stderr).toMatch(/^plg: cannot open \/dev\/net\/tun: [^\n]*modprobe tun[^\n]*\n$/);
  });
});

/** What plg is started through to have so many descriptors. */
function allowed(count: number): string[] {
  return ["prlimit", `--nofile=${count}:${count}`];
}

describe("with few descriptors", () => {
  needs("prlimit");

  test("plg says how many it needs", async ({ plg }) => {
    const commands = Array.from({ length: 20 }, () => "true");
    const run = await plg.run(["record", ...commands], { through: allowed(359) });
    expect(run.stderr).toMatch(/^plg: [^\n]*360 file descriptors, and 359[^\n]*ulimit -n[^\n]*\n$/);
    expect(run.exitCode).toBe(4);
    expectOk(await plg.run(["record", ...commands], { through: allowed(360) }));
  });
});

describe("without setpriv", () => {
  needsRoot();

  test("a command for another user is not started, and plg says why", async ({ plg, folder }) => {
    // What plg's launcher is made of, and no more.
    for (const name of ["dirname", "readlink", "find", "sh", "node"])
      symlinkSync(placeOf(name) ?? name, join(folder, name));
    const run = await plg.run(["record", "--uid=65534", "one=true"], { env: { PATH: folder } });
    expect(run.stderr).toContain(
      "plg: one could not be started: the start of setpriv failed: ENOENT",
    );
    expect(run.exitCode).toBe(1);
  });
});

describe("the launcher", () => {
  test("refuses a Node.js that is too old, or does not start", async ({ plg, folder }) => {
    const fake = async (script: string) => {
      writeFileSync(join(folder, "node"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const run = await plg.run(["--help"], { env: { PATH: `${folder}:${programPath}` } });
      return { exitCode: run.exitCode, said: run.stdout + run.stderr };
    };
    const old = /^plg: Node\.js v[\d.]+ is too old: 20\.19 or newer is needed\n$/;
    for (const version of ["v9.11.2", "v18.20.8", "v20.18.3"])
      expect(await fake(`echo ${version}`)).toEqual({
        exitCode: 4,
        said: expect.stringMatching(old),
      });
    for (const version of ["v20.19.0", "v22.0.0", "v25.1.0-nightly20261101"])
      expect(await fake(`[ "$1" = --version ] && echo ${version} || echo it runs`)).toEqual({
        exitCode: 0,
        said: "it runs\n",
      });
    const broken = await fake("exit 127");
    expect(broken.said).toContain("plg: Node.js does not start");
    expect(broken.exitCode).toBe(4);
  });
});
