// What a command finds around it: it should feel started from the caller's shell, on a machine of
// its own.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

/** Starts plg with signals ignored and one blocked, as a careless parent may. */
const careless = ["/bin/sh", "-c", `trap '' HUP INT QUIT PIPE TERM USR1; exec "$@"`, "sh"];

describe("a command's surroundings", () => {
  needs("getent");

  test("the caller's environment, and who is who", async ({ plg }) => {
    const print = `printf '%s\\n' "$MINE" "$PLG_NAME" "$PLG_ADDRESS" "$PLG_PEERS"`;
    const run = await plg.run(["record", `one=${print}`, "two=true", "three=true"], {
      env: { MINE: "as it was" },
    });
    expectOk(run);
    expect(linesOf(run, "one")).toEqual([
      "as it was",
      "one",
      "10.0.0.1",
      "two=10.0.0.2 three=10.0.0.3",
    ]);
  });

  test("the caller's working directory and umask", async ({ plg, folder }) => {
    const run = await plg.run(["record", "one=pwd -P; umask"], {
      through: ["/bin/sh", "-c", `umask 027; exec "$@"`, "sh"],
    });
    expectOk(run);
    expect(linesOf(run, "one")).toEqual([folder, "0027"]);
  });

  test("names of the others in /etc/hosts, which the machine's own does not show", async ({
    plg,
  }) => {
    const before = readFileSync("/etc/hosts", "utf8");
    const run = await plg.run([
      "record",
      "-s10.9.8.0/24",
      "one=getent ahostsv4 two | head -1; getent ahostsv6 two | head -1; getent ahostsv4 localhost | head -1",
      "two=true",
    ]);
    expectOk(run);
    const addresses = linesOf(run, "one").map((line) => line.split(/\s+/)[0]);
    expect(addresses).toEqual(["10.9.8.2", "fd70:6c67:a09:800::2", "127.0.0.1"]);
    expect(readFileSync("/etc/hosts", "utf8")).toBe(before);
  });

  test("a network of its own: lo, tun0, and the shortcut that goes with it", async ({ plg }) => {
    const run = await plg.run([
      "record",
      "one=sed -n 's/ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev | sort",
    ]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["lo", "tcp0", "tun0"]);
  });

  test("an empty standard input", async ({ plg }) => {
    const run = await plg.run(["record", "one=cat; echo done"]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["done"]);
  });
});

describe("a command's identity", () => {
  needsRoot("setpriv", "unshare", "mount");

  test.for([[], ["--uid=nobody"]])(
    "an empty signal mask and default dispositions, whatever plg was started with (%s)",
    async (options, { plg }) => {
      const show = "one=grep -E '^Sig(Blk|Ign)' /proc/self/status";
      const run = await plg.run(["record", ...options, show], { through: careless });
      expectOk(run);
      expect(linesOf(run, "one")).toEqual([
        "SigBlk:\t0000000000000000",
        "SigIgn:\t0000000000000000",
      ]);
    },
  );

  test("the user and the groups given with --uid", async ({ plg }) => {
    const run = await plg.run(["record", "--uid=nobody", "one=id -un; id -Gn"]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["nobody", "nogroup"]);
  });

  test.for(["plgtester", "54320"])(
    "the supplementary groups of user %s",
    async (user, { plg, folder }) => {
      // A user of the test's own, in a group of the test's own, known in private mounts alone.
      const groups = `${readFileSync("/etc/group", "utf8")}plgteam:x:54321:plgtester\n`;
      const users = `${readFileSync("/etc/passwd", "utf8")}plgtester:x:54320:65534::/:/bin/sh\n`;
      writeFileSync(join(folder, "group"), groups);
      writeFileSync(join(folder, "passwd"), users);
      const mounts = `mount --bind group /etc/group && mount --bind passwd /etc/passwd && exec "$@"`;
      const run = await plg.run(["record", `--uid=${user}`, "one=id -un; id -gn; id -Gn"], {
        through: ["unshare", "--mount", "/bin/sh", "-c", mounts, "sh"],
      });
      expectOk(run);
      expect(linesOf(run, "one")).toEqual(["plgtester", "nogroup", "nogroup plgteam"]);
    },
  );

  test("the user and the group given by number", async ({ plg }) => {
    const run = await plg.run(["record", "-u", "12345", "-g", "23456", "one=id -u; id -g; id -G"]);
    expectOk(run);
    expect(linesOf(run, "one")).toEqual(["12345", "23456", "23456"]);
  });
});
