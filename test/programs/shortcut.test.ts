// The shortcut past the switch: that it is taken, and that a process cannot tell it from its one
// device.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

const stray = new URL("actors/stray.py", import.meta.url).pathname;
const megabytes = 20;
const send = `head -c ${megabytes}M /dev/zero`;
/** How many packets a device has received and sent, as proc(5) has them in /proc/net/dev. */
const packetsOf = (device: string): string =>
  `awk '$1 == "${device}:" { print "${device}", $3, $11 }' /proc/net/dev`;

function countsOf(lines: readonly string[], device: string): number[] {
  const line = lines.find((candidate) => candidate.startsWith(`${device} `)) ?? "";
  return line.split(" ").slice(1).map(Number);
}

describe("the shortcut", () => {
  needs("nc", "ip", "socat", "awk", "python3");

  test.for(["-4", "-6"])("carries all of TCP but SYN and RST: nc %s", async (family, { plg }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=5s",
      `server=nc -l ${family} 80 | wc -c`,
      `client=${send} | nc -N ${family} server 80; ${packetsOf("tun0")}; ${packetsOf("tcp0")}`,
    ]);
    expectOk(run);
    expect(linesOf(run, "server")).toEqual([String(megabytes * 1024 * 1024)]);
    const [, throughTun = Infinity] = countsOf(linesOf(run, "client"), "tun0");
    const [, throughShortcut = 0] = countsOf(linesOf(run, "client"), "tcp0");
    // The SYN, perhaps again while nobody listened, and what IPv6 sends of its own accord.
    expect(throughTun).toBeLessThan(20);
    expect(throughShortcut).toBeGreaterThan((megabytes * 1024 * 1024) / 65_536);
  });

  test("a server that is bound to tun0 alone is reached", async ({ plg }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=5s",
      "server=socat -u SYSTEM:'echo hello' TCP4-LISTEN:80,so-bindtodevice=tun0",
      "client=nc -d server 80",
    ]);
    expectOk(run);
    expect(linesOf(run, "client")).toEqual(["hello"]);
  });

  test("a segment that belongs to no connection is answered by a RST", async ({ plg }) => {
    const run = await plg.run([
      "record",
      "server=sleep 30",
      `client=exec python3 ${stray} 10.0.0.2 10.0.0.1 80`,
      "--until=client",
    ]);
    expect(linesOf(run, "client")).toEqual(["flags 0x4 sequence 123456"]);
  });

  test("while a container's device is down nothing comes in, and then all goes on", async ({
    plg,
  }) => {
    const run = await plg.run([
      "record",
      "--wait-listen=5s",
      "server=echo hello | nc -N -l 80",
      "client=ip link set tun0 down; timeout 1 nc -d 10.0.0.1 80 || echo none; ip link set tun0 up; nc -d 10.0.0.1 80",
    ]);
    expect(linesOf(run, "client")).toEqual(["none", "hello"]);
  });
});
