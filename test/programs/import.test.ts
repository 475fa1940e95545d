// What tcpdump captured, as a dump.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect } from "vitest";
import { TCP_ACK, TCP_SYN } from "../../src/net/packet.ts";
import { ethernet, pcapFile, PcapngFile, tcp } from "../unit/capture/packets.ts";
import { CapturedHosts, hostAddresses } from "./captured-hosts.ts";
import { fields, streamBytes, tcpComplaints } from "./dump.ts";
import { needs, needsRoot } from "./machine.ts";
import { expectOk, test } from "./plg.ts";
import { nginx } from "./servers.ts";
import { eventually } from "./waiting.ts";

interface Summary {
  readonly connections: number;
  readonly complete: boolean;
  readonly containers: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly repaired: Readonly<Record<string, number>>;
  readonly gaps: readonly Record<string, unknown>[];
  readonly keys?: string;
}

/** A handshake and 15 bytes to the server, of which the middle ones were not captured. */
function gappedFrames(): Buffer[] {
  const c = { fromPort: 4711, toPort: 80 };
  const s = { from: "10.0.0.2", to: "10.0.0.1", fromPort: 80, toPort: 4711 };
  return [
    tcp({ ...c, sequence: 100, flags: TCP_SYN }),
    tcp({ ...s, sequence: 500, acknowledgment: 101, flags: TCP_SYN | TCP_ACK }),
    tcp({ ...c, sequence: 101, acknowledgment: 501, payload: Buffer.from("first") }),
    tcp({ ...c, sequence: 111, acknowledgment: 501, payload: Buffer.from("third") }),
    tcp({ ...s, sequence: 501, acknowledgment: 116, payload: Buffer.from("answer") }),
  ].map((packet) => ethernet(packet));
}

function framesAt(frames: readonly Buffer[]): { bytes: Buffer; atNs: bigint }[] {
  const startNs = 1_700_000_000_000_000_000n;
  return frames.map((bytes, i) => ({ bytes, atNs: startNs + BigInt(i) * 1_000_000n }));
}

/** Whether a process has the file to which an import copies a pipe. */
function isCopying(pid: number): boolean {
  try {
    const files = readdirSync(`/proc/${pid}/fd`);
    return files.some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).includes(".plg-import-"));
  } catch {
    return false;
  }
}

describe("what tcpdump captured over a network that loses packets", () => {
  needsRoot("tcpdump", "nft", "ss", "nginx", "curl", "tshark");

  test("is imported as it was said, and tshark has no complaint about the dump", async ({
    plg,
    folder,
  }) => {
    const hosts = new CapturedHosts(folder, 3);
    try {
      const file = randomBytes(1_000_000);
      const server = hosts.start("server", nginx(folder, { file }).replace(/^server=/, ""));
      await hosts.listening(80);
      const capture = await hosts.capture("client");
      const url = `http://${hostAddresses.server}/file`;
      const printed = await hosts.run("client", `curl -sS --fail ${url} | sha256sum`);
      await hosts.endCaptures();
      server.child.kill("SIGTERM");
      const sha256 = createHash("sha256").update(file).digest("hex");
      expect(printed).toBe(`${sha256}  -\n`);
      writeFileSync(join(folder, "client.pcap.gz"), gzipSync(readFileSync(capture)));
      const names = ["--name", `${hostAddresses.server}=web`];
      const run = await plg.run([
        "import",
        "client.pcap.gz",
        "-o",
        "c.traffic",
        "--json",
        ...names,
      ]);
      expectOk(run);
      const summary = JSON.parse(run.stdout) as Summary;
      expect(summary).toMatchObject({ connections: 1, complete: true, gaps: [] });
      expect(summary.containers).toContainEqual({ name: "web", addresses: [hostAddresses.server] });
      expect(summary.repaired["outOfOrder"]).toBeGreaterThan(0);
      const dump = join(folder, "c.traffic");
      const answer = await streamBytes(dump, 0, hostAddresses.server);
      const body = answer.subarray(answer.indexOf("\r\n\r\n") + 4);
      expect(createHash("sha256").update(body).digest("hex")).toBe(sha256);
      expect(await tcpComplaints(dump)).toEqual([]);
    } finally {
      await hosts.close();
    }
  });
});

describe("captures as files", () => {
  needs("tshark");

  test("what is missing is named, tshark sees it in the dump, and the exit code is 1", async ({
    plg,
    folder,
  }) => {
    writeFileSync(join(folder, "a.pcap"), pcapFile(framesAt(gappedFrames())));
    const run = await plg.run(["import", "a.pcap"]);
    expect(run).toMatchObject({ exitCode: 1, stderr: "" });
    expect(run.stdout).toMatch(
      /connection 1 \(10\.0\.0\.1:4711 → 10\.0\.0\.2:80\): 5 bytes of the client from byte 5 on, not captured/,
    );
    const dump = join(folder, "dump.traffic");
    expect(await fields(dump, "tcp.analysis.lost_segment", "tcp.seq_raw")).toHaveLength(1);
    expect(statSync(dump).mode & 0o777).toBe(0o600);
    const shown = await plg.run(["show"]);
    expectOk(shown);
    expect(shown.stdout).toMatch(/^captured 2023-11-14 22:13:20 UTC, imported from a\.pcap,/);
    expect(shown.stdout).toMatch(/10 B +6 B +open/);
  });

  test("a capture that was cut off is imported up to there", async ({ plg, folder }) => {
    const whole = pcapFile(framesAt(gappedFrames().slice(0, 3)));
    writeFileSync(join(folder, "a.pcap"), whole.subarray(0, whole.length - 3));
    writeFileSync(join(folder, "b.pcap.gz"), gzipSync(whole).subarray(0, 80));
    const plain = await plg.run(["import", "a.pcap"]);
    expect(plain.exitCode).toBe(1);
    expect(plain.stdout).toMatch(/the rest of a\.pcap from byte \d+ on: it ends in the middle/);
    const packed = await plg.run(["import", "b.pcap.gz", "-o", "b.traffic"]);
    expect(packed.exitCode).toBe(1);
    expect(packed.stdout).toMatch(/the rest of b\.pcap\.gz from byte \d+ on: it is cut short/);
  });
});

describe("what a capture carries besides", () => {
  needs();

  test("names and TLS keys of a capture are kept, the keys for their owner alone", async ({
    plg,
    folder,
  }) => {
    const file = new PcapngFile().interface(1).name(Uint8Array.of(10, 0, 0, 2), "Web.example");
    file.tlsKeys("CLIENT_RANDOM 00 11\n");
    for (const [i, bytes] of gappedFrames().slice(0, 3).entries()) file.packet(0, BigInt(i), bytes);
    writeFileSync(join(folder, "a.pcapng"), file.bytes);
    const run = await plg.run(["import", "a.pcapng", "--json"]);
    expectOk(run);
    const { containers, keys } = JSON.parse(run.stdout) as Summary;
    expect(containers[1]?.name).toMatch(/^Web.example$/);
    expect(keys).toBe("dump.traffic.keys");
    expect(readFileSync(join(folder, "dump.traffic.keys"), "utf8")).toBe("CLIENT_RANDOM 00 11\n");
    expect(statSync(join(folder, "dump.traffic.keys")).mode & 0o777).toBe(0o600);
  });

  test("what is no capture is refused in one line, and a recording that is there stays", async ({
    plg,
    folder,
  }) => {
    writeFileSync(join(folder, "a.pcap"), pcapFile(framesAt(gappedFrames().slice(0, 3))));
    expectOk(await plg.run(["import", "a.pcap"]));
    const before = readFileSync(join(folder, "dump.traffic"));
    writeFileSync(join(folder, "notes.txt"), "no capture at all");
    for (const [path, message] of [
      [
        "notes.txt",
        "plg: cannot import notes.txt: it is no capture file (neither pcap nor pcapng)\n",
      ],
      [
        "absent.pcap",
        "plg: cannot read the capture absent.pcap: no such file or directory (ENOENT)\n",
      ],
      [".", "plg: cannot read the capture .: illegal operation on a directory (EISDIR)\n"],
    ] as const) {
      const run = await plg.run(["import", path]);
      expect(run).toMatchObject({ exitCode: 5, stdout: "", stderr: message });
    }
    expect(readFileSync(join(folder, "dump.traffic")).equals(before)).toBe(true);
  });
});

describe("a capture from a pipe", () => {
  needs();

  test("a pipe is imported like a file, and leaves nothing beside the dump", async ({
    plg,
    folder,
  }) => {
    writeFileSync(join(folder, "a.pcap"), gzipSync(pcapFile(framesAt(gappedFrames().slice(0, 3)))));
    const run = await plg.run(["import", "-", "--json"], {
      through: ["bash", "-c", 'cat a.pcap | "$0" "$@"'],
    });
    expectOk(run);
    expect(JSON.parse(run.stdout)).toMatchObject({ connections: 1, complete: true });
    const both = await plg.run(["import", "-"], {
      through: ["bash", "-c", '"$0" "$@" <(cat a.pcap) <a.pcap'],
    });
    expectOk(both);
    expect(readdirSync(folder).toSorted()).toEqual([
      "a.pcap",
      "dump.traffic",
      "dump.traffic.previous",
    ]);
    const empty = await plg.run(["import", "-"]);
    expect(empty).toMatchObject({ exitCode: 5, stdout: "" });
    expect(empty.stderr).toBe("plg: cannot import standard input: it is empty\n");
    // Ctrl-C usually ends the writer as well: its last bytes still count.
    const live = plg.start(["import", "-", "--json"], {
      through: ["bash", "-c", 'mkfifo more; exec "$0" "$@" < <(cat a.pcap more; rm more)'],
    });
    await eventually("plg copies the pipe", () => isCopying(live.pid));
    live.kill("SIGINT");
    await live.prints(/interrupt again to give up/);
    writeFileSync(join(folder, "more"), gzipSync(Buffer.alloc(0)));
    const rest = await live.ended;
    expectOk(rest);
    expect(JSON.parse(rest.stdout)).toMatchObject({ connections: 1, complete: true });
  });
});

describe("wrong usage", () => {
  needs();

  test("a capture is not written over, and a name needs an address", async ({ plg, folder }) => {
    writeFileSync(join(folder, "a.pcap"), pcapFile(framesAt(gappedFrames())));
    const over = await plg.run(["import", "a.pcap", "-o", "a.pcap"]);
    expect(over.exitCode).toBe(2);
    expect(over.stderr).toMatch(/plg: a\.pcap is the capture itself: name another file/);
    const named = await plg.run(["import", "a.pcap", "--name", "db=10.0.0.1"]);
    expect(named).toMatchObject({ exitCode: 2 });
  });
});
