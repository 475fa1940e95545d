// The package as npm publishes it: installed into an empty folder, it runs, and its exports
// resolve.
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, test } from "./plg.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const talk = actor("talk.mjs");

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** The folders of what the package depends on, as far as this machine has them. */
function dependencies(): string[] {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as Lock;
  const installed = new Set(
    readdirSync(join(root, "node_modules"), { recursive: false, encoding: "utf8" }).flatMap(
      (name) =>
        name.startsWith("@")
          ? readdirSync(join(root, "node_modules", name)).map((inner) => `${name}/${inner}`)
          : [name],
    ),
  );
  return Object.keys(packages)
    .filter((path) => path !== "" && packages[path]?.dev !== true)
    .map((path) => path.replace(/^node_modules\//, ""))
    .filter((name) => installed.has(name))
    .map((name) => join(root, "node_modules", name));
}

/** npm unpacks some thousand files, which takes a minute on a busy machine. */
const timeoutMs = 300_000;

function npm(...args: readonly string[]): string {
  return execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

describe("the package", { timeout: timeoutMs }, () => {
  needs();

  test("installs without a compiler and runs, and its types resolve", async ({ folder }) => {
    const project = join(folder, "project");
    mkdirSync(project);
    const inProject = (program: string, ...args: readonly string[]): string =>
      execFileSync(program, args, {
        cwd: project,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    const packed = npm("pack", "--ignore-scripts", "--json", "--pack-destination", folder);
    const [{ filename, files }] = JSON.parse(packed) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    const tarball = join(folder, filename);
    const paths = files.map(({ path }) => path);
    expect(paths.filter((path) => /^(src|test|bench|scripts)\//.test(path))).toEqual([]);
    for (const path of [
      "plg",
      "plg.schema.json",
      "docs/plg.1",
      "dist/viewer/page.js",
      "README.md",
      "LICENSE",
    ])
      expect(paths).toContain(path);

    // As from the registry, but with the copies that this machine has: no network, and no scripts,
    // so nothing is compiled.
    writeFileSync(join(project, "package.json"), '{ "name": "project", "private": true }');
    const options = ["--offline", "--ignore-scripts", "--install-links", "--no-audit", "--no-fund"];
    inProject("npm", "install", ...options, tarball, ...dependencies());

    const plg = join(project, "node_modules/.bin/plg");
    const said = `client=${talk} connect=server:7000 send=packed end read-end`;
    const server = `server=${talk} listen=7000 read-end end`;
    inProject(plg, "record", "--wait-listen=20s", server, said);
    expect(inProject(plg, "replay", "--json", "--patience=20s")).toContain('"outcome":"passed"');
    writeFileSync(
      join(project, "use.mjs"),
      `import { openDump, replay } from "net-playground";
      import "net-playground/dump";
      const dump = await openDump("dump.traffic");
      for await (const { server, serverPort } of dump.connections())
        if (serverPort === 7000) console.log(server);
      const run = await replay({ file: "dump.traffic", only: ["client"], caller: false });
      console.log((await run.finish()).differences.count);`,
    );
    expect(inProject(process.execPath, "use.mjs").split("\n").slice(-3)).toEqual([
      "server",
      "0",
      "",
    ]);

    const { problems } = await attw(tarball);
    expect(problems).toEqual([]);
  });
});

/** Problems of the exports' types. It is a module, so require() and old resolvers do not count. */
async function attw(tarball: string) {
  const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
  if (!result.types) throw new Error("the package has no types");
  const ignored = new Set(["node10", "node16-cjs"]);
  const problems = result.problems.filter(
    (problem) => !("resolutionKind" in problem && ignored.has(problem.resolutionKind)),
  );
  return { problems };
}
