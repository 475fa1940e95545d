/** Where the demo's programs and its recording are, and where its steps run. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExitCode } from "../../base/errors.ts";
import type { DemoStep } from "./demo-steps.ts";
import { mainModule } from "../launch/main-module.ts";

const programs = fileURLToPath(new URL("../../demo", import.meta.url));

export class DemoFolder {
  readonly path: string;
  #child: ChildProcess | undefined;

  private constructor(path: string) {
    this.path = path;
  }

  /** A new folder with copies of the programs: it is the user's to keep, change and try things in. */
  static create(): DemoFolder {
    const path = mkdtempSync(join(tmpdir(), "plg-demo-"));
    for (const name of readdirSync(programs).filter((file) => file.endsWith(".js")))
      cpSync(join(programs, name), join(path, name));
    writeFileSync(join(path, "package.json"), '{ "type": "module" }\n');
    return new DemoFolder(path);
  }

  /** Runs plg itself, with this terminal as its own. Resolves to its exit code. */
  run({ args }: DemoStep): Promise<ExitCode> {
    const child = spawn(process.execPath, [mainModule, ...args], {
      cwd: this.path,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PATH: pathWithNode() },
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        // As plg is the child, its exit codes are ours; as in a shell, 128 and more tell a signal.
        resolve((code ?? 128 + (signal ? constants.signals[signal] : 0)) as ExitCode);
      });
    });
  }

  /** A terminal's Ctrl-C reaches the child by itself; what is sent to this process alone is passed on. */
  passOn(signal: NodeJS.Signals): void {
    if (signal !== "SIGINT") this.#child?.kill(signal);
  }
}

/** The commands say `node`: that is the one that runs this. */
function pathWithNode(): string {
  return [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
}
