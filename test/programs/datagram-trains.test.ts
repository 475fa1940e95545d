// Trains of datagrams (QUIC sends them) pass in one piece where the kernel lets them; the dump has
// datagrams.
import { join } from "node:path";
import { describe, expect } from "vitest";
import { tshark } from "./dump.ts";
import { needs } from "./machine.ts";
import { linesOf, pythonActor, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const trains = pythonActor("trains.py");

describe("a train of datagrams", () => {
  needs("python3", "tshark");

  test.for([
    ["10.0.0.1", 1472, "", "88x1472", 1480],
    ["fd70:6c67:a00::1", 1452, "", "88x1452", 1460],
    ["10.0.0.1", 1000, "whole", "2x44000", 1008],
  ] as const)(
    "to %s, %i bytes each%s",
    async ([host, each, whole, reads, udpLength], { plg, folder }) => {
      const length = 44 * each;
      const server = `server=${trains} receive 7000 ${2 * length} ${whole}`;
      const client = `client=${trains} send ${host} 7000 2 ${length} ${each}`;
      const run = await record(plg, server, client);
      expect(linesOf(run, "server").at(-1)).toBe(`${reads} whole`);
      expect(linesOf(run, "client")).toEqual(["thanks"]);
      const checks = ["udp.check_checksum:TRUE", "ip.check_checksum:TRUE"].flatMap((o) => [
        "-o",
        o,
      ]);
      const names = ["udp.length", "udp.checksum.status", "ip.checksum.status"];
      const columns = names.flatMap((name) => ["-e", name]);
      const file = join(folder, "dump.traffic");
      const text = await tshark(file, ...checks, "-T", "fields", ...columns, "-Y", "udp");
      const good = host.includes(":") ? "" : "1";
      const datagrams = text.trimEnd().split("\n");
      const isOne = (line: string): boolean =>
        line.trimEnd() === `${udpLength}\t1\t${good}`.trimEnd();
      expect(datagrams.filter(isOne)).toHaveLength(88);
      expect(datagrams).toHaveLength(89);
      expect((await expectSame(plg)).lines("client")).toEqual(["thanks"]);
      expect((await expectSame(plg, "--only=client")).lines("client")).toEqual(["thanks"]);
      const served = await expectSame(plg, "--only=server");
      expect(served.lines("server").at(-1)).toMatch(/ whole$/);
    },
  );
});
