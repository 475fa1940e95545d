/** What tshark, which knows nothing of plg, reads from a dump. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { programPath } from "./program-path.ts";

const execute = promisify(execFile);

/** Runs tshark on a dump; throws if it complains. */
export async function tshark(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await execute("tshark", ["-r", file, ...args], {
    env: { ...process.env, PATH: programPath, HOME: "/tmp" },
    maxBuffer: 1 << 28,
  });
  const complaints = stderr
    .split("\n")
    .filter((line) => line !== "" && !/as user "?root"?/.test(line));
  if (complaints.length > 0) throw new Error(`tshark complains: ${complaints.join("\n")}`);
  return stdout;
}

/** One field of the packets that a display filter selects, a line each. */
export async function fields(file: string, filter: string, ...names: string[]): Promise<string[]> {
  const columns = names.flatMap((name) => ["-e", name]);
  const text = await tshark(file, "-Y", filter, "-T", "fields", ...columns);
  return text.split("\n").filter((line) => line !== "");
}

/** The bytes of one direction of a TCP stream, as tshark reassembles them. */
export async function streamBytes(
  file: string,
  stream: number,
  fromAddress: string,
): Promise<Buffer> {
  const address = fromAddress.includes(":") ? "ipv6.src" : "ip.src";
  const filter = `tcp.stream == ${stream} && ${address} == ${fromAddress} && tcp.len > 0`;
  const payloads = await fields(file, filter, "tcp.payload");
  return Buffer.concat(payloads.map((hex) => Buffer.from(hex, "hex")));
}

/**
 * What tshark's expert system holds against the TCP of a dump: retransmissions, lost segments,
 * wrong checksums.
 */
export async function tcpComplaints(file: string): Promise<string[]> {
  return fields(
    file,
    "tcp.analysis.flags || ip.checksum.status == 0 || tcp.checksum.status == 0 || _ws.malformed",
    "frame.number",
    "_ws.col.Info",
  );
}
