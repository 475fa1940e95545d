import { spawnSync } from "node:child_process";
import { closeSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import type { Fd } from "../../src/base/units.ts";
import { parseAddress } from "../../src/net/address.ts";
import { PacketView } from "../../src/net/packet.ts";
import { virtioNetHeaderBytes } from "../../src/sys/abi.ts";
import { read } from "../../src/sys/libc.ts";
import { allocateRegion } from "../../src/sys/memory.ts";
import { addAddress, deleteLink, setLinkUp } from "../../src/sys/interfaces.ts";
import { addRoute } from "../../src/sys/routes.ts";
import { closeTun, createTun } from "../../src/sys/tun.ts";
import { needs } from "../programs/machine.ts";
import { inOwnNetwork } from "./own-network.ts";

const bytesOf = (text: string): Uint8Array => parseAddress(text) ?? new Uint8Array();
const pings = (address: string): boolean =>
  spawnSync("ping", ["-c", "1", "-W", "1", address]).status === 0;

/**
 * The next packet on a device that is of this protocol; the kernel sends some of its own accord.
 */
function nextOf(tun: Fd, protocol: number): { header: Uint8Array; view: PacketView } | undefined {
  const frame = allocateRegion(0x1_0000);
  const view = new PacketView();
  for (;;) {
    const count = read(tun, frame.address, frame.bytes.length);
    if (count < 0) return undefined;
    const at = virtioNetHeaderBytes;
    if (view.parse(frame.bytes, at, count - at) && view.protocol === protocol)
      return { header: frame.bytes.slice(0, at), view };
  }
}

describe("a TUN device", () => {
  needs("ping");

  test("has its address and MTU, and packets come out behind a virtio header", () => {
    inOwnNetwork(() => {
      const tun = createTun("tun0");
      addAddress("tun0", bytesOf("10.1.2.1"), 24, bytesOf("10.1.2.255"));
      addAddress("tun0", bytesOf("fd00:1::1"), 64);
      setLinkUp("tun0", { mtuBytes: 1400, queuePackets: 64 });
      const addresses = networkInterfaces()["tun0"]?.map(({ cidr }) => cidr);
      expect(addresses).toEqual(expect.arrayContaining(["10.1.2.1/24", "fd00:1::1/64"]));
      expect(readFileSync("/proc/thread-self/net/route", "latin1")).toMatch(/^tun0\s+0002010A/m);
      spawnSync("ping", ["-c", "1", "-W", "0.1", "10.1.2.9"]);
      const packet = nextOf(tun, 1);
      expect(packet?.header).toEqual(new Uint8Array(virtioNetHeaderBytes));
      expect(packet?.view.totalBytes).toBe(84);
      closeSync(tun);
    });
  });

  test("goes with its descriptor", () => {
    inOwnNetwork(() => {
      const tun = createTun("tun0");
      closeSync(tun);
      expect(() => setLinkUp("tun0")).toThrow(/tun0/);
    });
  });

  test("can be left to its namespace, unless it was deleted", () => {
    inOwnNetwork(() => {
      const [kept, deleted] = [createTun("tun0"), createTun("tun1")];
      deleteLink("tun1");
      for (const tun of [kept, deleted]) closeTun(tun);
      setLinkUp("tun0");
      expect(() => closeSync(deleted)).toThrow(/EBADF/);
    });
  });
});

describe("routes", () => {
  needs("ping");

  test("a local route on lo makes a whole network ours", () => {
    inOwnNetwork(() => {
      expect(pings("240.0.0.77")).toBe(false);
      const route = { kind: "local", interfaceName: "lo" } as const;
      addRoute({ ...route, network: bytesOf("240.0.0.0"), prefixBits: 24 });
      addRoute({ ...route, network: bytesOf("fd70:1::"), prefixBits: 64 });
      expect(pings("240.0.0.77")).toBe(true);
      expect(pings("fd70:1::77")).toBe(true);
    });
  });
});

describe("what rtnetlink refuses", () => {
  needs();

  test("is told with the request and the interface", () => {
    inOwnNetwork(() => {
      expect(() => setLinkUp("nosuch0")).toThrow(/nosuch0 failed: ENODEV/);
      addAddress("lo", bytesOf("10.1.2.1"), 24);
      expect(() => addAddress("lo", bytesOf("10.1.2.1"), 24)).toThrow(
        /RTM_NEWADDR of interface lo failed: EEXIST/,
      );
    });
  });
});
