// Errors in the terms of the command line. Lower rooms know neither options nor exit codes.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { DumpError, MachineError, PlgError, UsageError } from "../../../src/base/errors.ts";
import { messageOf } from "../../../src/cli/errors/advice.ts";
import { exitCodeOf } from "../../../src/cli/errors/exit-code.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test.each([
  [new UsageError("'x' is not a time", { argument: "from" }), 2, "--from 'x' is not a time"],
  [
    new UsageError("no room", { code: "subnet-too-small" }),
    2,
    "no room; choose a larger one with -s",
  ],
  [new MachineError("no device"), 4, "no device"],
  [
    new MachineError("no mounts", { code: "sandbox-unavailable" }),
    4,
    "no mounts; see 'plg doctor'",
  ],
  [new MachineError("disk full", { code: "dump-incomplete" }), 4, "disk full"],
  [new DumpError("d is damaged: odd", 7), 5, "d is damaged: odd (at byte 7)"],
  [new PlgError("two\n  lines", { code: "capture-unreadable" }), 5, "two lines"],
] as const)("%s: exit code %i", (error, exitCode, message) => {
  expect(exitCodeOf(error)).toBe(exitCode);
  expect(messageOf(error)).toBe(message);
});

test("commands that write with -o are advised to", () => {
  const error = new UsageError("it is there", { code: "dump-unwritable" });
  expect(messageOf(error, "record")).toBe("it is there; name another file with -f PATH");
  expect(messageOf(error, "import")).toBe("it is there; name another file with -o PATH");
});

/** Every long option in the help texts. */
function options(): ReadonlySet<string> {
  const page = readFileSync(join(root, "docs/command-line.md"), "utf8");
  return new Set([...page.matchAll(/^ +(?:-\w, )?(--[a-z][\w-]*)/gm)].map(([, name = ""]) => name));
}

/** The code of the rooms below `cli/`, without comments. */
function lowerCode(): ReadonlyMap<string, string> {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
  const lower = files.filter((file) => file.endsWith(".ts") && !file.startsWith("cli/"));
  return new Map(
    lower.map((file) => {
      const code = readFileSync(join(root, "src", file), "utf8");
      return [file, code.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")];
    }),
  );
}

/** An option of setpriv(1), too, which a run uses. */
const foreign = new Set(["--no-new-privs"]);

test("no message below cli/ names an option of plg", () => {
  const names = options();
  expect(names.size).toBeGreaterThan(40);
  const found = [...lowerCode()].flatMap(([file, code]) =>
    [...code.matchAll(/["'`\s(](--[a-z][\w-]*)/g)].flatMap(([, name = ""]) =>
      names.has(name) && !foreign.has(name) ? [`${file}: ${name}`] : [],
    ),
  );
  expect(found).toEqual([]);
});
