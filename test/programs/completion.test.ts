// Completions, as the shells themselves answer.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { programPath } from "./program-path.ts";
import { expectOk, test } from "./plg.ts";

/**
 * Presses Tab in a zsh on a terminal of its own. `zpty -r` waits for the pattern. The quotes keep
 * the echoed line from matching.
 */
const inZsh = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "fpath=($PWD \\$fpath); autoload -U compinit; compinit -u -D; bindkey '^I' complete-word; echo REA''DY"
zpty -r z seen '*READY*'
zpty -w -n z $'plg replay --pat\t'
zpty -r z seen '*--patience*' && echo completed`;

describe("plg completion", () => {
  needs("zsh", "fish");

  test("completes commands, options and words in bash, zsh and fish", async ({ plg, folder }) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const run = await plg.run(["completion", shell]);
      expectOk(run);
      writeFileSync(join(folder, shell === "zsh" ? "_plg" : shell), run.stdout);
    }
    const ask = (shell: string, ...args: string[]): string[] =>
      execFileSync(shell, args, {
        cwd: folder,
        timeout: 30_000,
        encoding: "utf8",
        env: { ...process.env, PATH: programPath, HOME: folder, TERM: "dumb" },
      })
        .split(/\s*\n/)
        .map((line) => line.split("\t")[0] ?? "")
        .filter((line) => line !== "");

    const inBash = (...words: string[]): string[] =>
      ask(
        "bash",
        "-c",
        `source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plg; printf '%s\\n' "\${COMPREPLY[@]}"`,
        "bash",
        ...words,
      );
    expect(inBash("plg", "rep")).toEqual(["replay"]);
    expect(inBash("plg", "replay", "--pat")).toEqual(["--patience"]);
    expect(inBash("plg", "completion", "z")).toEqual(["zsh"]);

    const inFish = (line: string): string[] =>
      ask("fish", "-c", `source ./fish; complete -C '${line}'`);
    expect(inFish("plg rep")).toEqual(["replay"]);
    expect(inFish("plg replay --pat")).toEqual(["--patience"]);
    expect(inFish("plg completion z")).toEqual(["zsh"]);

    expect(ask("zsh", "-f", "-c", inZsh).at(-1)).toBe("completed");
    expect((await plg.run(["completion", "tcsh"])).stderr).toMatch(/no completions for 'tcsh'/);
  });
});
