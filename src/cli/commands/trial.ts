/**
 * A trial recording: two small programs and one connection per IP family, in a temporary folder.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "../../doctor/check.ts";
import { mainModule } from "../launch/main-module.ts";

/** Sends the client its own address. The shell expands the program's path in the double quotes. */
const server = `"$PLG_NODE" -e 'net.createServer((socket) => socket.end(socket.remoteAddress)).listen(7000)'`;
/** Fails if IPv4 fails, and reports whether IPv6 works. An attempt without an answer times out. */
const client = `"$PLG_NODE" -e '
const ask = (family, next) => net.connect({ host: "server", port: 7000, family })
  .setTimeout(3000, () => process.exit(family === 4 ? 1 : 0))
  .on("data", () => console.log("IPv" + family + " works")).on("end", next)
  .on("error", (error) => { if (family === 4) throw error; });
ask(4, () => ask(6, () => {}));'`;

/** Records the two programs through the command line, as a user would. */
export function tryRecording(ipv6: boolean): Check {
  const folder = mkdtempSync(join(tmpdir(), "plg-doctor-"));
  const file = join(folder, "trial.traffic");
  const options = ["--json", "--raw", "-f", file, "--wait-listen", "5s", "--until", "client"];
  const args = ["record", ...options, `server=${server}`, `client=${client}`];
  try {
    const { status, stderr } = spawnSync(process.execPath, [mainModule, ...args], {
      encoding: "utf8",
      timeout: 30_000,
      env: { ...process.env, PLG_NODE: process.execPath },
    });
    return checkOf(status, stderr, ipv6);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkOf(status: number | null, stderr: string, ipv6: boolean): Check {
  const name = "a recording";
  if (status !== 0 || !stderr.includes("IPv4 works")) {
    const lines = stderr.split("\n").filter((line) => line.startsWith("plg: "));
    const detail = lines.at(-1)?.slice("plg: ".length) ?? `plg record ended with ${status}`;
    return { name, status: "missing", detail, fix: "see what is missing above" };
  }
  if (!ipv6) return { name, status: "ok", detail: "a connection was recorded, over IPv4" };
  if (stderr.includes("IPv6 works"))
    return { name, status: "ok", detail: "connections were recorded, over IPv4 and IPv6" };
  const detail = "a connection was recorded over IPv4, but none could be made over IPv6";
  const fix =
    "leave IPv6 out with --no-ipv6; in a container it takes '--security-opt systempaths=unconfined'";
  return { name, status: "limited", detail, fix };
}
