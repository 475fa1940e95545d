// What is not TCP, as a process sees it: on a plain network, recorded, and replayed to all or to
// one alone.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fields, tshark } from "./dump.ts";
import { needsRoot } from "./machine.ts";
import { PlainNetwork } from "./plain-network.ts";
import { linesOf, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";

const actor = new URL("actors/packets.py", import.meta.url).pathname;
const page = new URL("../../docs/packets.md", import.meta.url).pathname;
const names = ["asker", "server", "other"];

const lanes = [
  { family: 4, prefix: "10.0.0.", bits: 24, largest: 65_507, source: "ip.src" },
  { family: 6, prefix: "fd70:6c67:a00::", bits: 64, largest: 65_527, source: "ipv6.src" },
] as const;
type Lane = (typeof lanes)[number];

/** By name, what it is given to do. */
function argumentsOf({ family, prefix }: Lane, name: string): string[] {
  if (name !== "asker") return [actor, "answer", `${family}`];
  return [actor, "ask", `${family}`, `${prefix}2`, `${prefix}3`];
}

async function overPlainNetwork(lane: Lane): Promise<Map<string, string[]>> {
  const network = new PlainNetwork(names.map((_, i) => [`${lane.prefix}${i + 1}/${lane.bits}`]));
  try {
    const seen = names.map(async (name, host): Promise<[string, string[]]> => [
      name,
      await network.run(host, "python3", ...argumentsOf(lane, name)),
    ]);
    return new Map(await Promise.all(seen));
  } finally {
    network.close();
  }
}

describe("UDP, ICMP and others", () => {
  needsRoot("python3", "ip", "tshark");

  test.for(lanes)(
    "over IPv$family a process sees what it sees on a plain network",
    async (lane, { plg, folder }) => {
      const plain = await overPlainNetwork(lane);
      const run = await record(
        plg,
        ...names.map((name) => `${name}=exec python3 ${argumentsOf(lane, name).join(" ")}`),
      );
      for (const name of names) expect(linesOf(run, name), name).toEqual(plain.get(name));
      const said = linesOf(run, "asker").join("\n");
      expect(said).toMatch(new RegExp(`datagram of ${lane.largest} bytes: .*, the same$`, "m"));
      expect(said).toContain(`a datagram of ${lane.largest + 1} bytes: EMSGSIZE`);
      expect(said).toContain("largest datagrams, one after the other: 20");

      expectOnPage(lane, linesOf(run, "asker"));

      for (const live of [names, ["asker"], ["server"], ["other"], ["asker", "other"]]) {
        const replayed = await expectSame(plg, `--only=${live.join(",")}`);
        for (const name of live)
          expect(replayed.lines(name), `${name} of ${live.join()}`).toEqual(linesOf(run, name));
      }
      await expectReadable(join(folder, "dump.traffic"), lane);
    },
  );
});

/** The page has what was seen, but for what not every kernel has; WRITE_PAGES=1 writes it. */
function expectOnPage({ family }: Lane, lines: readonly string[]): void {
  const rows = lines
    .filter((line) => !/^(SCTP|UDP-Lite):/.test(line))
    .map((line) => {
      const at = line.indexOf(": ");
      return `| ${line.slice(0, at)} | ${line.slice(at + 2)} |`;
    });
  const section = [`## IPv${family}`, "", "| what | what is seen |", "|---|---|", ...rows, ""].join(
    "\n",
  );
  const text = readFileSync(page, "utf8");
  if (process.env["WRITE_PAGES"] !== "1") return expect(text).toContain(section);
  const old = new RegExp(`## IPv${family}\\n[^]*?\\n(?=\\n##|$)`);
  writeFileSync(
    page,
    text.replace(old, () => section),
  );
}

/** tshark puts the fragments together again, and finds every sum right. */
async function expectReadable(dump: string, { prefix, source, largest }: Lane): Promise<void> {
  const checked = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
  const bad = "_ws.malformed || udp.checksum.status == 0 || ip.checksum.status == 0";
  expect(await tshark(dump, ...checked, "-Y", bad)).toBe("");
  const lengths = await fields(
    dump,
    `udp.dstport == 7000 && ${source} == ${prefix}1`,
    "udp.length",
  );
  expect(lengths.filter((length) => Number(length) === largest + 8)).toHaveLength(21);
  const fragments = await fields(dump, "ip.fragment || ipv6.fragment", "frame.number");
  // Each of these goes there and back in 45 fragments, the last of which is shown as the whole.
  expect(fragments.length).toBeGreaterThanOrEqual(2 * 21);
  const whole = "(ip.flags.mf == 1 || ip.frag_offset > 0) || ipv6.fraghdr";
  const pieces = await fields(dump, whole, "frame.number");
  expect(pieces.length).toBeGreaterThan(2 * 21 * 45);
}
