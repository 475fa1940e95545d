/** Completions for fish: `plg completion fish | source`. Pure. */
import { type DescribedCommand, type DescribedProgram, isFile } from "./program.ts";

export function fishCompletion({ commands }: DescribedProgram): string {
  const lines = commands.flatMap((command) => [
    `complete -c plg -n __fish_use_subcommand -f -a ${command.name} -d ${quoted(command.summary)}`,
    ...optionsOf(command),
  ]);
  return `# Completions of plg for fish: plg completion fish >~/.config/fish/completions/plg.fish
${lines.join("\n")}
`;
}

function optionsOf({ name, options, words }: DescribedCommand): string[] {
  const when = `complete -c plg -n '__fish_seen_subcommand_from ${name}'`;
  const lines = options.map((option) => {
    const { short, long, value, description } = option;
    const shortly = short === undefined ? "" : ` -s ${short.slice(1)}`;
    const taking = value === undefined ? "" : isFile(option) ? " -r -F" : " -x";
    return `${when}${shortly} -l ${long.slice(2)}${taking} -d ${quoted(description)}`;
  });
  return words.length === 0 ? lines : [...lines, `${when} -f -a ${quoted(words.join(" "))}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, (character) => `\\${character}`)}'`;
}
