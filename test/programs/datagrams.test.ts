// What is not TCP passes from container to container as it is, and is recorded.
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields } from "./dump.ts";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";
import { dnsmasq } from "./servers.ts";

describe("ping", () => {
  needs("ping", "tshark");

  test.for([
    ["-4", "icmp.type"],
    ["-6", "icmpv6.type"],
  ])(
    "%s reaches the other container, and the dump has both ways",
    async ([option, field = ""], { plg, folder }) => {
      const run = await plg.run(["record", `one=ping ${option} -c 3 -i 0.1 two`, "two=sleep 2"]);
      expectOk(run);
      expect(run.stdout).toContain("3 received");
      const types = await fields(join(folder, "dump.traffic"), field, field);
      const [request, reply] = option === "-4" ? ["8", "0"] : ["128", "129"];
      expect(types).toEqual([request, reply, request, reply, request, reply]);
    },
  );

  test("where there is no container: destination host unreachable", async ({ plg }) => {
    const run = await plg.run(["record", "one=ping -c 1 -W 5 10.0.0.9; :"]);
    expectOk(run);
    expect(run.stdout).toMatch(/Destination Host Unreachable/);
    expect(run.durationMs).toBeLessThan(4000);
  });
});

describe("dnsmasq", () => {
  needs("dnsmasq", "tshark");

  test("answers a resolver in another container", async ({ plg, folder }) => {
    const ask = `const{Resolver}=require("dns").promises;const r=new Resolver({timeout:200,tries:50});r.setServers(["10.0.0.1"]);r.resolve4("www.example.test").then(a=>console.log(a[0]))`;
    const run = await plg.run([
      "record",
      "--until=client",
      dnsmasq,
      `client='${process.execPath}' -e '${ask}'`,
    ]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["192.0.2.7"]);
    const answers = await fields(join(folder, "dump.traffic"), "dns.a", "dns.a");
    expect(answers.at(-1)).toBe("192.0.2.7");
  });
});
