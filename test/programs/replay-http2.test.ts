// HTTP/2 in the clear: many streams on one connection, compared and counted by frames.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, linesOf, type Plg, test } from "./plg.ts";
import { expectDiffers, expectSame, record, textOf } from "./replays.ts";

const grpc = actor("grpc.mjs");
const http2 = actor("http2.mjs");

/**
 * By address: with a name, Node and gRPC try IPv4 as well if IPv6 takes 250 ms (RFC 8305), which
 * happens on a busy machine.
 */
const address = "10.0.0.1";

/** Node's HTTP/2 server says the date, of which gRPC knows nothing. */
const date = "--ignore=server/date: [^\\n]*/";

async function recordGrpc(plg: Plg): Promise<void> {
  const run = await record(
    plg,
    "--until=client",
    `server=${grpc} server`,
    `client=${grpc} client ${address}`,
  );
  expect(linesOf(run, "client")).toEqual(["received 10 messages and 50 answers"]);
}

describe("gRPC: a stream of 10 messages of 100 kB both ways, then 50 calls at once", () => {
  test("everybody and each alone do the same, time and again", async ({ plg }) => {
    await recordGrpc(plg);
    for (let round = 0; round < 3; round++)
      for (const only of ["server,client", "client", "server"]) {
        const replayed = await expectSame(plg, `--only=${only}`, date);
        if (only !== "server")
          expect(replayed.lines("client")).toEqual(["received 10 messages and 50 answers"]);
      }
  });

  test("every fault is reported, with its stream, its frame and its header", async ({ plg }) => {
    await recordGrpc(plg);
    const faults = [
      { process: "client", fault: "header", found: /^stream 1, HEADERS, tenant$/ },
      { process: "client", fault: "short", found: /^stream 1, DATA$/ },
      { process: "server", fault: "short", found: /^stream 1, DATA$/ },
      { process: "server", fault: "status", found: /^stream \d+, HEADERS, (grpc-status|content-)/ },
    ];
    for (const { process, fault, found } of faults) {
      const command = `${process}=${grpc} ${process} ${address} ${fault}`;
      const replayed = await expectDiffers(plg, process, `--only=${process}`, date, command);
      const first = replayed.report.differences.find(({ unit }) => unit !== undefined);
      expect(first?.unit, first?.text).toMatch(found);
      expect(first?.text).toContain(first?.unit);
      // Header blocks are shown in clear.
      if (fault === "header") expect(textOf(first?.before)).toContain("tenant: ");
    }
    const missing = `client=${grpc} client ${address} missing`;
    const replayed = await expectDiffers(plg, "client", "--only=client", missing);
    const lack = replayed.report.differences.find(({ unit }) => unit !== undefined);
    expect(lack?.text).toMatch(/; stream \d+, HEADERS is missing$/);
  });
});

describe("HTTP/2 of Node and curl", () => {
  needs("curl");

  test("by prior knowledge: each alone does the same", async ({ plg }) => {
    const curl = `curl -sS --http2-prior-knowledge http://${address}:8080/items/1`;
    await record(plg, "--until=client", `server=${http2} server`, `client=${curl}`);
    for (const only of ["server,client", "client", "server"])
      await expectSame(plg, `--only=${only}`, date);
    const other = `client=${curl} -H 'x-test: 1'`;
    const replayed = await expectDiffers(plg, "client", "--only=client", other);
    expect(replayed.report.differences[0]?.text).toContain("in stream 1, HEADERS");
  });

  test("requests at once: each alone does the same", async ({ plg }) => {
    await record(
      plg,
      "--until=client",
      `server=${http2} server`,
      `client=${http2} client ${address}`,
    );
    for (const only of ["server,client", "client", "server"])
      await expectSame(plg, `--only=${only}`, date);
  });
});
