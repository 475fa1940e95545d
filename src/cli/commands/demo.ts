/** `plg demo`: shows what plg does, step by step, on a small system of its own programs. */
import type { Command as Cli } from "commander";
import { ExitCode } from "../errors/exit-code.ts";
import { DemoFolder } from "./demo-folder.ts";
import { type DemoStep, demoSteps } from "./demo-steps.ts";
import { interruptible } from "../terminal/interrupt.ts";
import { paintFor } from "../terminal/paint.ts";

export function addDemo(program: Cli, setExitCode: (code: ExitCode) => void): void {
  program
    .command("demo")
    .summary("show what plg does, step by step")
    .description("Show what plg does, step by step, on small systems of its own programs")
    .addHelpText("after", about)
    .action(async () => setExitCode(await demo()));
}

const about = `
The programs need nothing but Node.js. Each step is a command line of plg that
you could type yourself, and it is shown before it runs. Everything is written
into a new temporary folder, which stays, so that you can go on from there.`;

/** Runs the steps until one ends with an unexpected exit code. Returns plg's exit code. */
async function demo(): Promise<ExitCode> {
  const folder = DemoFolder.create();
  let interrupted = false;
  const exitCode = await interruptible(
    (signal) => {
      interrupted = true;
      folder.passOn(signal);
    },
    async () => {
      for (const [index, step] of demoSteps.entries()) {
        introduce(step, index + 1);
        const code = await folder.run(step);
        if (interrupted) return code;
        if (code !== step.exitCode && code !== step.exitCodeUnseeded) return fail(step, code);
      }
      return ExitCode.ok;
    },
  );
  process.stdout.write(`\nThe recording and the programs are in ${folder.path}\n`);
  return exitCode;
}

function introduce({ title, text, args }: DemoStep, number: number): void {
  const heading = bold(`${number}. ${title}`);
  process.stdout.write(`\n${heading}\n${text}\n\n  $ plg ${args.map(asShellWord).join(" ")}\n\n`);
}

function fail({ exitCode }: DemoStep, code: ExitCode): ExitCode {
  process.stderr.write(`plg: the demo ends here: exit code ${code} instead of ${exitCode}\n`);
  return code === ExitCode.ok ? ExitCode.bug : code;
}

function bold(text: string): string {
  return paintFor(process.stdout)?.heading(text) ?? text;
}

/** Quotes the argument for a shell; `name='a command'` reads best in this form. */
function asShellWord(text: string): string {
  if (/^[\w./:=-]+$/.test(text)) return text;
  const [, name = "", value = ""] = /^([\w-]+=)?(.*)$/s.exec(text) ?? [];
  return `${name}'${value.replaceAll("'", String.raw`'\''`)}'`;
}
