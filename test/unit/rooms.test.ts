import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { rooms } from "../../rooms.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const made: string[] = [];

afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true });
});

/** Lints one file, alone in a copy of the configuration, and returns the forbidden imports. */
function forbiddenImports(path: string, ...specifiers: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "plg-rooms-"));
  made.push(folder);
  for (const name of ["oxlint.config.mjs", "rooms.mjs"])
    cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, specifiers.map((specifier) => `export * from "${specifier}";\n`).join(""));
  const lint = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/oxlint/bin/oxlint"),
      "-c",
      "oxlint.config.mjs",
      "--format=json",
      "src",
    ],
    { cwd: folder, encoding: "utf8" },
  );
  const { diagnostics } = JSON.parse(lint.stdout) as {
    diagnostics: readonly { code: string; message: string }[];
  };
  return diagnostics
    .filter(({ code }) => code.includes("no-restricted-imports"))
    .map(({ message }) => /'(.*?)'/.exec(message)?.[1] ?? message);
}

test("every folder with sources is a room, and every room exists", () => {
  const folders = execFileSync("find", ["src", "-name", "*.ts"], { cwd: root, encoding: "utf8" })
    .trim()
    .split("\n")
    .map((file) => dirname(relative("src", file)))
    .filter((folder) => folder !== ".");
  expect(Object.keys(rooms).toSorted()).toEqual([...new Set(folders)].toSorted());
});

test("imports have no cycle: the rooms can be listed so that each imports only earlier ones", () => {
  const left = new Map(Object.entries(rooms));
  const levels: string[][] = [];
  while (left.size > 0) {
    const free = [...left].filter(([, { imports }]) => imports.every((room) => !left.has(room)));
    expect(free, `a cycle among ${[...left.keys()].join(", ")}`).not.toEqual([]);
    levels.push(free.map(([name]) => name));
    for (const [name] of free) left.delete(name);
  }
  // The import table, lowest rooms first.
  for (const name of levels.flat()) console.info(`${name} <- ${rooms[name]?.imports.join(", ")}`);
});

test("a new file may import what its room lists", () => {
  expect(forbiddenImports("src/net/new.ts", "./packet.ts", "../base/text.ts")).toEqual([]);
  expect(forbiddenImports("src/replay/new.ts", "./drive/player.ts", "node:fs")).toEqual([]);
});

test("a forbidden import in a new file fails the gate", () => {
  const upward = ["../sys/libc.ts", "../cli/main.ts", "../dump/format/schema.ts"];
  expect(forbiddenImports("src/net/new.ts", ...upward)).toEqual(upward);
});

test("a pure room takes no packages, and koffi belongs to one file", () => {
  expect(forbiddenImports("src/net/new.ts", "node:fs", "koffi")).toEqual(["node:fs", "koffi"]);
  expect(forbiddenImports("src/sys/new.ts", "node:fs", "koffi")).toEqual(["koffi"]);
  expect(forbiddenImports("src/sys/libc.ts", "koffi")).toEqual([]);
});

test("a room that is not listed is closed in both directions", () => {
  expect(forbiddenImports("src/new/a.ts", "../base/text.ts", "node:fs")).toEqual([
    "../base/text.ts",
    "node:fs",
  ]);
  expect(forbiddenImports("src/report/b.ts", "../new/a.ts")).toEqual(["../new/a.ts"]);
});
