// A process must not be able to tell that it talks to a pipe. Each case is what TCP does between
// two machines, as both ends report it.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, type Finished, linesOf, type Plg, test } from "./plg.ts";

const talk = actor("talk.mjs");

/** Runs a server and a client that follow these steps. */
async function converse(
  plg: Plg,
  steps: { readonly server: string; readonly client: string },
  options: readonly string[] = [],
): Promise<{ run: Finished; server: string[]; client: string[] }> {
  const run = await plg.run([
    "record",
    "--wait-listen=10s",
    ...options,
    `server=${talk} ${steps.server}`,
    `client=${talk} ${steps.client}`,
  ]);
  return { run, server: linesOf(run, "server"), client: linesOf(run, "client") };
}

describe("addresses", () => {
  needs();

  test("each end sees the other's real address and port", async ({ plg }) => {
    const { run, server, client } = await converse(plg, {
      server: "listen=7000 addresses read-end",
      client: "connect=10.0.0.1:7000 addresses end",
    });
    expectOk(run);
    const [, clientPort = ""] = /^local 10\.0\.0\.2 (\d+) remote/.exec(client[1] ?? "") ?? [];
    expect(Number(clientPort)).toBeGreaterThan(1023);
    expect(client[1]).toBe(`local 10.0.0.2 ${clientPort} remote 10.0.0.1 7000`);
    expect(server[1]).toBe(`local 10.0.0.1 7000 remote 10.0.0.2 ${clientPort}`);
  });

  test("on IPv6 too", async ({ plg }) => {
    const { run, server, client } = await converse(plg, {
      server: "listen=7000 addresses read-end",
      client: "connect=[fd70:6c67:a00::1]:7000 addresses end",
    });
    expectOk(run);
    expect(client[1]).toMatch(/^local fd70:6c67:a00::2 \d+ remote fd70:6c67:a00::1 7000$/);
    const [, clientPort = ""] = /::2 (\d+) remote/.exec(client[1] ?? "") ?? [];
    expect(server[1]).toBe(`local fd70:6c67:a00::1 7000 remote fd70:6c67:a00::2 ${clientPort}`);
  });

  test("in a subnet given with -s, IPv6 alone", async ({ plg }) => {
    const options = ["-s", "2001:db8:5::/48"];
    const { run, server } = await converse(
      plg,
      { server: "listen=7000 addresses read-end", client: "connect=server:7000 end" },
      options,
    );
    expectOk(run);
    expect(server[1]).toMatch(/^local 2001:db8:5::1 7000 remote 2001:db8:5::2 \d+$/);
  });
});

describe("endings", () => {
  needs();

  test("the client may end first and still be answered", async ({ plg }) => {
    const { run, server, client } = await converse(plg, {
      server: "listen=7000 read-end send=answer end",
      client: "connect=server:7000 send=question end read-end",
    });
    expectOk(run);
    expect(server).toEqual(["listening", "received question", "end"]);
    expect(client).toEqual(["connected", "received answer", "end"]);
  });

  test("the server may end first and still be asked", async ({ plg }) => {
    const { run, server, client } = await converse(plg, {
      server: "listen=7000 send=greeting end read-end",
      client: "connect=server:7000 read-end send=thanks end",
    });
    expectOk(run);
    expect(client).toEqual(["connected", "received greeting", "end"]);
    expect(server).toEqual(["listening", "received thanks", "end"]);
  });

  test("a reset by the server is ECONNRESET to the client, after what was sent before", async ({
    plg,
    folder,
  }) => {
    const { run, client } = await converse(plg, {
      server: `listen=7000 send=before await=${folder}/read reset`,
      client: `connect=server:7000 read=6 touch=${folder}/read wait-error`,
    });
    expectOk(run);
    expect(client).toEqual(["connected", "received before", "ECONNRESET"]);
  });

  test("a reset by the client is ECONNRESET to the server", async ({ plg, folder }) => {
    const { run, server } = await converse(plg, {
      server: `listen=7000 read=6 touch=${folder}/read wait-error`,
      client: `connect=server:7000 send=before await=${folder}/read reset`,
    });
    expectOk(run);
    expect(server).toEqual(["listening", "received before", "ECONNRESET"]);
  });

  test("bytes sent right before the end of a process all arrive", async ({ plg }) => {
    const { run, client } = await converse(plg, {
      server: "listen=7000 sendbytes=20000000 end",
      client: "connect=server:7000 count-end",
    });
    expectOk(run);
    expect(client).toEqual(["connected", "received 20000000 bytes", "end"]);
  });
});

describe("connections that do not come about", () => {
  needs();

  test("where nobody listens: refused", async ({ plg }) => {
    const run = await plg.run(["record", `client=${talk} connect=other:7000`, "other=sleep 1"]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["error ECONNREFUSED"]);
  });

  test("where nobody listens, on IPv6: refused", async ({ plg }) => {
    const run = await plg.run([
      "record",
      `client=${talk} connect=[fd70:6c67:a00::2]:7000`,
      "other=sleep 1",
    ]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["error ECONNREFUSED"]);
  });

  test("where there is no container: host unreachable", async ({ plg }) => {
    const run = await plg.run(["record", `client=${talk} connect=10.0.0.77:7000`]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["error EHOSTUNREACH"]);
  });

  test("where there is no container, on IPv6: host unreachable", async ({ plg }) => {
    const run = await plg.run(["record", `client=${talk} connect=[fd70:6c67:a00::77]:7000`]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["error EHOSTUNREACH"]);
  });

  test("outside the subnet: network unreachable", async ({ plg }) => {
    const run = await plg.run(["record", `client=${talk} connect=192.0.2.1:7000`]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["error ENETUNREACH"]);
  });
});

describe("--wait-listen", () => {
  needs("nc");

  test("holds a connection until somebody listens", async ({ plg, folder }) => {
    const { run, client } = await converse(plg, {
      // The server listens only when the client has long been about to connect.
      server: `await=${folder}/connecting listen=7000 send=late end`,
      client: `touch=${folder}/connecting connect=server:7000 read-end`,
    });
    expectOk(run);
    expect(client).toEqual(["connected", "received late", "end"]);
  });

  test("does not hold an attempt over IPv6 while the server listens on IPv4 alone", async ({
    plg,
  }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=20s",
      "server=nc -4 -N -l 7000",
      // nc tries the addresses of a name one after the other, IPv6 first.
      "client=echo hello | nc -N server 7000",
    ]);
    expectOk(run);
    expect(linesOf(run, "server")).toEqual(["hello"]);
    expect(run.durationMs).toBeLessThan(10_000);
  });

  test("gives up after its time: refused", async ({ plg }) => {
    const client = `client=s=$(date +%s%N); ${talk} connect=10.0.0.1:7000; echo $((($(date +%s%N)-s)/1000000))`;
    const run = await plg.run(["record", "--wait-listen=700ms", "server=sleep 1.5", client]);
    expectOk(run);
    const [answer, tookMs] = linesOf(run, "client");
    expect(answer).toBe("error ECONNREFUSED");
    expect(Number(tookMs)).toBeGreaterThanOrEqual(600);
  });
});

describe("a reader that is stuck", () => {
  needs();

  test("holds up its sender, and nobody else", async ({ plg, folder }) => {
    const flood = `connect=server:7000 sendbytes=100000000`;
    const run = await plg.run([
      "record",
      "--wait-listen=10s",
      "--until=peer",
      // Takes the connection and never reads.
      `server=${process.execPath} -e 'require("net").createServer({pauseOnConnect:true},()=>require("fs").writeFileSync("${folder}/stuck","")).listen(7000)'`,
      `flood=${talk} ${flood} touch=${folder}/all-sent`,
      `peer=${talk} listen=7001 count-end`,
      `other=${talk} await=${folder}/stuck connect=peer:7001 sendbytes=30000000 end`,
    ]);
    expectOk(run);
    expect(linesOf(run, "peer")).toContain("received 30000000 bytes");
    expect(run.stdout).not.toContain("all-sent");
  });

  test("holds up its sender the sooner, the smaller the buffers", async ({ plg, folder }) => {
    // Takes the connection, never reads, and ends when nothing has moved for a while.
    const stuck = `require("net").createServer({pauseOnConnect:true},()=>setTimeout(()=>process.exit(),2000)).listen(7000)`;
    const relayed = async (file: string, ...options: string[]): Promise<number> => {
      const run = await plg.run([
        "record",
        `-f${folder}/${file}`,
        ...options,
        "--wait-listen=10s",
        "--until=server",
        `server=${process.execPath} -e '${stuck}'`,
        `flood=${talk} connect=server:7000 sendbytes=100000000`,
      ]);
      expectOk(run);
      const { connections } = JSON.parse((await plg.run(["show", file, "--json"])).stdout) as {
        connections: { bytesToServer: number }[];
      };
      return connections[0]?.bytesToServer ?? 0;
    };
    const small = await relayed("small", "--buffer=16k");
    const large = await relayed("large", "--buffer=16M");
    expect(small).toBeGreaterThan(0);
    expect(small).toBeLessThan(large);
  });
});
