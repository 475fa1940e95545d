// A pool of connections, replayed: chance is no difference, and whatever else differs is reported.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, linesOf, pythonActor, test } from "./plg.ts";
import { expectDiffers, expectSame, record } from "./replays.ts";

const pool = actor("pool.mjs");
const server = (fault = ""): string => `server=FAULT='${fault}' exec ${pool} serve 7000`;
const client = (fault = ""): string =>
  `client=FAULT='${fault}' exec ${pool} ask 10.0.0.1 7000 4 24`;

const clientFaults = [
  "changed header",
  "byte missing at the end",
  "byte too many",
  "other request",
  "request twice",
  "request missing",
  "request more",
  "other login",
  "early close",
  "reset",
  "extra connection",
  "connection missing",
];

const serverFaults = [
  "swapped answer",
  "wrong status",
  "changed answer header",
  "answer twice",
  "answer too long",
  "answer too short",
  "no answer",
  "early close by the server",
  "reset by the server",
  "no welcome",
  "other welcome",
  "does not listen",
];

describe("a pool of connections, replayed", () => {
  needs();

  test("masks are learned, chance is no difference, and every fault is one", async ({
    plg,
    folder,
  }) => {
    const run = await record(plg, "--until=client", server(), client());
    expect(linesOf(run, "client")).toEqual(["24 right"]);
    const learned = await plg.run(["replay", "--learn", "2", "--ignore-file", "masks"]);
    expectOk(learned);
    const masks = readFileSync(join(folder, "masks"), "utf8");
    expect(masks.split("\n").filter((line) => /^\w/.test(line))).toHaveLength(2);
    expect(masks).toMatch(
      /^# a number: differed .* times in \d+ replays, for example "\d+", then/m,
    );
    const mask = "--ignore-file=masks";
    for (const only of [[], ["--only=client"], ["--only=server"]]) {
      const replayed = await expectSame(plg, mask, ...only);
      if (only[0] !== "--only=server") expect(replayed.lines("client")).toEqual(["24 right"]);
    }
    const options = [mask, "--patience=500ms"];
    for (const fault of clientFaults)
      await expectDiffers(plg, "client", ...options, "--only=client", client(fault));
    for (const fault of serverFaults)
      await expectDiffers(plg, "server", ...options, "--only=server", server(fault));
  }, 240_000);

  test("what cannot be learned is listed, and nothing is written", async ({ plg, folder }) => {
    await record(
      plg,
      "--until=client",
      server(),
      `client=test -e again || ${pool} ask 10.0.0.1 7000 4 8`,
    );
    writeFileSync(join(folder, "again"), "");
    const learned = await plg.run(["replay", "--only=client", "--learn=2", "--ignore-file=masks"]);
    expect(learned.exitCode).toBe(3);
    expect(learned.stderr).toMatch(/masks do not explain all differences/);
    expect(learned.stderr).toMatch(/nothing was learned/);
    expect(() => readFileSync(join(folder, "masks"))).toThrow(/ENOENT/);
  });
});

describe("connections that their order identifies, replayed", () => {
  needs();
  const orders = pythonActor("orders.py");

  test("a silent one does not take the place of one whose server speaks first", async ({ plg }) => {
    const commands = [
      `server=${orders} greet-second 7000`,
      `client=${orders} greeted-second 10.0.0.1 7000`,
    ];
    const run = await record(plg, ...commands);
    for (const only of [[], ["--only=client"], ["--only=server"]]) {
      const replayed = await expectSame(plg, ...only);
      if (only[0] !== "--only=server")
        expect(replayed.lines("client")).toEqual(linesOf(run, "client"));
    }
  });

  test("a relay that connects on before its clients' bytes come", async ({ plg }) => {
    const run = await record(
      plg,
      `client=${orders} say 10.0.0.2 7000 12`,
      `relay=${orders} relay 7000 10.0.0.3 7000 12`,
      `echo=${orders} echo 7000 12`,
    );
    expect(linesOf(run, "client")).toEqual(["12 right"]);
    for (const only of [[], ["--only=relay"], ["--only=client"], ["--only=echo"]])
      await expectSame(plg, ...only);
  });
});

describe("a port that a process chose, replayed", () => {
  needs();

  test("is the one of today, and so is its number in what the process sends", async ({ plg }) => {
    const ports = pythonActor("orders.py");
    const commands = [`server=${ports} call-back 7000`, `client=${ports} be-called 10.0.0.1 7000`];
    const run = await record(plg, ...commands);
    expect(linesOf(run, "client")).toEqual(["called back"]);
    for (const only of [[], ["--only=client"], ["--only=server"]]) {
      const replayed = await expectSame(plg, ...only);
      if (only[0] !== "--only=server") expect(replayed.lines("client")).toEqual(["called back"]);
    }
  });
});
