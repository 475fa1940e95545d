/** `plg completion` and `plg man`: what the help says, for shells and for man(1). */
import type { Command as Cli, Option } from "commander";
import { UsageError } from "../../base/errors.ts";
import { bashCompletion } from "../describe/bash.ts";
import { fishCompletion } from "../describe/fish.ts";
import { manualPage } from "../describe/man.ts";
import type { DescribedCommand, DescribedOption, DescribedProgram } from "../describe/program.ts";
import { zshCompletion } from "../describe/zsh.ts";
import { ExitCode } from "../errors/exit-code.ts";
import { toolVersion } from "../../api/version.ts";

const shells: Readonly<Record<string, (program: DescribedProgram) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

const completionExamples = `
Examples:
  $ source <(plg completion bash)           in ~/.bashrc
  $ plg completion zsh >FOLDER/_plg         where FOLDER is in fpath
  $ plg completion fish >~/.config/fish/completions/plg.fish`;

/** Needs the program with all its commands. */
export function addCompletion(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("completion")
    .summary("print completions for bash, zsh or fish")
    .description("Print a script that makes a shell complete the commands and options of plg")
    .usage("bash|zsh|fish")
    .argument("<shell>", "bash, zsh or fish")
    .addHelpText("after", completionExamples)
    .action((shell: string) => {
      const render = shells[shell];
      if (!render)
        throw new UsageError(`there are no completions for '${shell}': name bash, zsh or fish`);
      process.stdout.write(render(describe(program)));
      setExitCode(ExitCode.ok);
    });
}

/** Needs the program with all its commands. */
export function addMan(program: Cli, setExitCode: (code: number) => void): void {
  program
    .command("man")
    .summary("print the manual page, as in: plg man | man -l -")
    .description("Print the manual page, which has the help of all commands")
    .usage("")
    .action(() => {
      process.stdout.write(manualPage(describe(program)));
      setExitCode(ExitCode.ok);
    });
}

function describe(program: Cli): DescribedProgram {
  return {
    version: toolVersion(),
    description: program.description(),
    commands: program.commands.map(describeCommand),
    more: helpAfter(program),
  };
}

function describeCommand(command: Cli): DescribedCommand {
  const visible = command.createHelp().visibleOptions(command);
  return {
    name: command.name(),
    summary: command.summary(),
    description: command.description(),
    usage: command.usage(),
    options: visible.map(describeOption),
    words: command.name() === "completion" ? Object.keys(shells) : [],
    more: helpAfter(command),
  };
}

function describeOption(option: Option): DescribedOption {
  const { flags, short, long, description, defaultValue } = option;
  const hasDefault = typeof defaultValue === "string" && defaultValue !== "";
  return {
    short,
    long: long ?? "",
    value: /[<[](.+?)[>\]]/.exec(flags)?.[1],
    description: hasDefault ? `${description} (default: ${defaultValue})` : description,
  };
}

/** What `addHelpText("after", …)` adds. */
function helpAfter(command: Cli): string {
  let whole = "";
  const write = (text: string): boolean => {
    whole += text;
    return true;
  };
  command.configureOutput({ writeOut: (text) => void write(text) }).outputHelp();
  return whole.slice(whole.indexOf(command.helpInformation()) + command.helpInformation().length);
}
