/** The folder of the demo's programs and recording, in which its steps run. */
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExitCode } from "../errors/exit-code.ts";
import type { DemoStep } from "./demo-steps.ts";
import { mainModule } from "../launch/main-module.ts";

const programs = fileURLToPath(new URL("../../demo", import.meta.url));

export class DemoFolder {
  readonly path: string;
  #child: ChildProcess | undefined;

  private constructor(path: string) {
    this.path = path;
  }

  /** Creates a folder with copies of the programs, for the user to keep and to experiment in. */
  static create(): DemoFolder {
    const path = mkdtempSync(join(tmpdir(), "plg-demo-"));
    for (const name of readdirSync(programs).filter((file) => file.endsWith(".js")))
      cpSync(join(programs, name), join(path, name));
    writeFileSync(join(path, "package.json"), '{ "type": "module" }\n');
    return new DemoFolder(path);
  }

  /** Runs plg on this terminal. Resolves to its exit code. */
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
        // The child is plg, so its exit codes are ours. As in a shell, 128 and more mean a signal.
        resolve((code ?? 128 + (signal ? constants.signals[signal] : 0)) as ExitCode);
      });
    });
  }

  /**
   * Passes a signal on. A terminal sends Ctrl-C to the child directly; other signals reach only
   * this process.
   */
  passOn(signal: NodeJS.Signals): void {
    if (signal !== "SIGINT") this.#child?.kill(signal);
  }
}

/** PATH with this process's `node` first, because the commands call `node`. */
function pathWithNode(): string {
  return [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
}
