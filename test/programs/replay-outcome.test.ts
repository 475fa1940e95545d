// What a replay says of itself: in its exit code, its summary, as JSON and as JUnit, all the same.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, type Plg, test } from "./plg.ts";

const server = `node -e "net.createServer((s) => s.on('data', (d) => s.write(d))).listen(7000, '0.0.0.0')"`;

/** Sends `count` numbers, each after the answer to the one before, and then runs `then`. */
function client(count: number, then = "process.exit(0)"): string {
  return `node -e "let n = 0; const s = net.connect(7000, 'server', () => s.write(String(n)));
    s.on('data', () => { if (++n < ${count}) s.write(String(n)); else { ${then} } })"`;
}

async function record(plg: Plg, command: string): Promise<void> {
  const options = ["--wait-listen", "10s", "--until", "client"];
  await plg.run(["record", ...options, `server=${server}`, `client=${command}`]);
}

interface Report {
  readonly outcome: string;
  readonly exitCode: number;
  readonly played: number;
  readonly total: number;
  readonly differences: readonly { readonly kind: string; readonly text: string }[];
}

const only = ["replay", "--only", "client", "--patience", "500ms"];

async function replay(plg: Plg, command: string): Promise<Report & { readonly exit: number }> {
  const run = await plg.run([...only, "--json", `client=${command}`]);
  return { ...(JSON.parse(run.stdout) as Report), exit: run.exitCode ?? -1 };
}

describe("how a command ends", () => {
  needs();

  test.for([
    ["another exit code", client(3, "process.exit(5)"), /client: exited with 5; .* exited with 0$/],
    [
      "a crash",
      client(3, "process.abort()"),
      /client: exited with 134 \(SIGABRT\); .* exited with 0$/,
    ],
    [
      "a hang",
      client(3, "setInterval(() => {}, 1e3)"),
      /client: was still running when .* with 0$/,
    ],
  ] as const)("%s is a difference", async ([, command, says], { plg }) => {
    await record(plg, client(3));
    const { differences, exit, exitCode, outcome } = await replay(plg, command);
    expect(differences.at(-1)?.text).toMatch(says);
    expect({ exit, exitCode, outcome }).toEqual({ exit: 3, exitCode: 3, outcome: "differed" });
  });

  test("midway comes first of its consequences, and the rest was not replayed", async ({ plg }) => {
    await record(plg, client(5));
    const { differences, played, total } = await replay(plg, client(2, "process.abort()"));
    expect(differences[0]).toMatchObject({ kind: "command-end", isFirst: true });
    expect(differences.length).toBeGreaterThan(1);
    expect(played).toBeLessThan(total);
    const text = await plg.run([...only, `client=${client(2, "process.abort()")}`]);
    expect(text.stdout).toMatch(
      / \(SIGABRT\); in the recording it exited with 0 \(first divergence\)\n/,
    );
    expect(text.stdout).toMatch(/client: \d+ consequences? \(--all shows them\)\n/);
  });

  test("as it did in the recording is no difference, but not a success", async ({
    plg,
    folder,
  }) => {
    await record(plg, client(3, "process.exit(5)"));
    const run = await plg.run([...only, "--json", "--junit", "r.xml"]);
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/: no difference, 1 command failed\n/);
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: "failed", exitCode: 1, count: 0 });
    expect(readFileSync(join(folder, "r.xml"), "utf8")).toContain(
      '<error message="the command failed with exit code 5',
    );
  });
});

describe("a replay that is cut off", () => {
  needs();

  test.for([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGKILL", null],
  ] as const)("by %s is no success", async ([signal, exitCode], { plg, folder }) => {
    await record(plg, client(3));
    const junit = join(folder, "r.xml");
    const args = ["replay", "--only", "client", "--patience", "1h", "--junit", "r.xml", "--json"];
    const running = plg.start([...args, "client=echo ready; sleep 60"]);
    await running.prints(/ready/);
    running.kill(signal);
    const run = await running.ended;
    expect(run.exitCode).toBe(exitCode);
    const xml = readFileSync(junit, "utf8");
    expect(xml).toContain('failures="0" errors="1"');
    if (signal === "SIGKILL") return expect(xml).toContain("did not come to its end");
    expect(xml).toMatch(new RegExp(`cut off by ${signal} after \\d+ of \\d+ events`));
    expect(run.stderr).toMatch(new RegExp(`: no difference, cut off by ${signal}\n`));
    expect(JSON.parse(run.stdout)).toMatchObject({ outcome: "interrupted", exitCode });
  });
});

describe("reports", () => {
  needs();

  test.for([
    ["--junit", "no/such/folder/r.xml"],
    ["--page", "no/such/folder/r.html"],
    ["--junit", "."],
  ])("%s %s is refused before anything runs", async ([option = "", path = ""], { plg }) => {
    await record(plg, client(1));
    const run = await plg.run(["replay", option, path, "client=echo it runs"]);
    expect(run.stderr).toMatch(/^plg: cannot write --(junit|page) [^\n]+\n$/);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
  });

  test("a page that cannot be written is refused before the dump is read", async ({ plg }) => {
    expectOk(await plg.run(["record", "true"]));
    const run = await plg.run(["view", "-o", "no/such/page.html"]);
    expect(run.stderr).toMatch(/^plg: cannot write -o no\/such\/page\.html: [^\n]+\n$/);
    expect(run.exitCode).toBe(2);
  });
});
