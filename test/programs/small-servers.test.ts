import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { describe, expect } from "vitest";
import { fields } from "./dump.ts";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

describe("mosquitto", () => {
  needs("mosquitto", "mosquitto_sub", "mosquitto_pub");

  test("what one client publishes another receives", async ({ plg, folder }) => {
    writeFileSync(join(folder, "mosquitto.conf"), "listener 1883\nallow_anonymous true\n");
    const waitForSubscriber = "until grep -q SUBACK subscriber.log; do sleep 0.05; done";
    const run = await plg.run([
      "record",
      "--wait-listen=10s",
      "--until=subscriber",
      "broker=exec mosquitto -c mosquitto.conf",
      // mosquitto_sub tells of the SUBACK only with -d, on its standard output, line-buffered or
      // not.
      "subscriber=stdbuf -oL mosquitto_sub -d -h 10.0.0.1 -t news -q 1 -C 3 | tee subscriber.log",
      `publisher=${waitForSubscriber}; for i in 1 2 3; do mosquitto_pub -h 10.0.0.1 -t news -q 1 -m item-$i; done`,
    ]);
    expectOk(run);
    const items = linesOf(run, "subscriber").filter((line) => line.startsWith("item-"));
    expect(items).toEqual(["item-1", "item-2", "item-3"]);
  });
});

describe("memcached", () => {
  needs("memcached", "nc", "tshark");

  test("keeps a value, and the dump shows the exchange", async ({ plg, folder }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=10s",
      "--until=client",
      "server=exec memcached -u nobody -U 0 -m 16",
      "client=printf 'set k 0 0 5\\r\\nhello\\r\\nget k\\r\\nquit\\r\\n' | nc -N 10.0.0.1 11211",
    ]);
    expectOk(run);
    expect(linesOf(run, "client").join("\n")).toContain("VALUE k 0 5\r\nhello\r\nEND");
    const commands = await fields(
      join(folder, "dump.traffic"),
      "memcache.command",
      "memcache.command",
    );
    expect(commands).not.toEqual([]);
  });
});
