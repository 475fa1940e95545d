// Programs that speak UDP and ICMP, recorded and replayed.
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields } from "./dump.ts";
import { needs } from "./machine.ts";
import { linesOf, test } from "./plg.ts";
import { expectSame, record, replay } from "./replays.ts";
import { certificate, dnsmasq } from "./servers.ts";

const lanes = [
  { family: 4, server: "10.0.0.1", anywhere: "0.0.0.0" },
  { family: 6, server: "fd70:6c67:a00::1", anywhere: "::" },
] as const;

describe("dig and dnsmasq", () => {
  needs("dig", "dnsmasq");

  test.for(lanes)(
    "over IPv$family, by TCP and by UDP: recorded and replayed, each side alone as well",
    async ({ server, anywhere }, { plg }) => {
      // By TCP first: it is held until the server is there. What is random each time is fixed.
      const dig = `dig @${server} +short +qid=7 +nocookie +tries=1`;
      const names = ["www.example.test A", "www.example.test AAAA"];
      const client = ["+tcp", `-b ${anywhere}#7100`]
        .flatMap((how) => names.map((name) => `${dig} ${how} ${name}`))
        .join(" && ");
      const run = await record(plg, "--until=client", dnsmasq, `client=${client}`);
      const answers = ["192.0.2.7", "2001:db8::7", "192.0.2.7", "2001:db8::7"];
      expect(linesOf(run, "client")).toEqual(answers);
      for (const only of ["server,client", "client", "server"]) {
        const replayed = await expectSame(plg, `--only=${only}`);
        if (only !== "server") expect(replayed.lines("client"), only).toEqual(answers);
      }
    },
  );
});

describe("ping", () => {
  needs("ping");

  test.for([4, 6])("over IPv%i: all of it, and the one who asks alone", async (family, { plg }) => {
    // The identifier is random otherwise, and a recorded answer would be to another.
    const one = `one=ping -${family} -e 77 -c 3 -i 0.1 -s 3000 two`;
    const run = await record(plg, "--until=one", one, "two=sleep 60");
    expect(run.stdout).toContain("3 received");
    for (const only of ["one,two", "one"]) {
      const replayed = await expectSame(plg, "--until=one", `--only=${only}`);
      expect(replayed.lines("one").join("\n"), only).toContain("3 received");
    }
  });
});

describe("iperf3 over UDP", () => {
  needs("iperf3", "tshark");

  test.for(lanes)(
    "over IPv$family: no datagram is lost, and the replay ends",
    async (lane, { plg, folder }) => {
      const client = `client=iperf3 -u -c ${lane.server} -b 8M -l 1000 -n 500K --get-server-output`;
      await record(plg, "--until=client", "server=exec iperf3 -s -1", client);
      const lengths = await fields(
        join(folder, "dump.traffic"),
        "udp.length == 1008",
        "udp.length",
      );
      expect(lengths.length).toBeGreaterThanOrEqual(512);
      // The results that the two exchange in the end hold times.
      const { run, report } = await replay(plg, ["--until=client"], { timeoutMs: 60_000 });
      expect(run.exitCode).toBe(3);
      expect(report.differences.map(({ kind }) => kind)).toContain("bytes");
      expect(run.stderr).toMatch(/ 0\/5\d\d \(0%\) +receiver/);
    },
  );
});

describe("QUIC", () => {
  needs("gtlsserver", "gtlsclient", "openssl");

  test.for(lanes)(
    "over IPv$family, a file arrives as it was sent, and again",
    async (lane, { plg, folder }) => {
      certificate(folder);
      const file = randomBytes(1_000_000);
      mkdirSync(join(folder, "site"));
      mkdirSync(join(folder, "got"));
      writeFileSync(join(folder, "site/file"), file);
      const sha256 = createHash("sha256").update(file).digest("hex");
      const host = lane.family === 4 ? lane.server : `[${lane.server}]`;
      const fetch = `timeout 5 gtlsclient -q --exit-on-all-streams-close --download=got ${lane.server} 4433 https://${host}:4433/file`;
      const client = `client=rm -f got/file; until [ -s got/file ]; do ${fetch} >client.log 2>&1; done; sha256sum <got/file`;
      const server =
        "server=exec gtlsserver -q --htdocs=site '*' 4433 key.pem cert.pem >server.log 2>&1";
      const run = await record(plg, "--until=client", server, client);
      expect(linesOf(run, "client")).toEqual([`${sha256}  -`]);
      // Not as many packets as then: when they are acknowledged is a matter of time.
      const again = await replay(plg, ["--until=client"]);
      expect(again.run, again.run.stderr).toMatchObject({ exitCode: 0, signal: null });
      expect(again.lines("client")).toEqual([`${sha256}  -`]);
      expect(readFileSync(join(folder, "got/file")).equals(file)).toBe(true);
    },
  );
});
