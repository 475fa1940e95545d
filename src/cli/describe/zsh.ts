/** Completions for zsh: a file `_plg` on its `fpath`. Pure. */
import { type DescribedOption, type DescribedProgram, isFile } from "./program.ts";

export function zshCompletion({ commands }: DescribedProgram): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`);
  const cases = commands.map(
    ({ name, options, words }) => `    ${name})
      _arguments -s -S \\
${options.map((option) => `        ${specOf(option)} \\`).join("\n")}
        ${quoted(words.length === 0 ? "*: :_files" : `*: :(${words.join(" ")})`)} ;;`,
  );
  return `#compdef plg
# Completions of plg for zsh: plg completion zsh >FOLDER/_plg, where FOLDER is in fpath before compinit.
_plg() {
  local -a commands
  commands=(
${names.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _plg ]; then _plg "$@"; else compdef _plg plg; fi
`;
}

/** As in `'(-f --file)'{-f,--file}'[write the recording]:path:_files'`. */
function specOf(option: DescribedOption): string {
  const { short, long, value, description } = option;
  const names = short === undefined ? long : `{${short},${long}}`;
  const text = description.replaceAll(/[[\]\\:]/g, (character) => `\\${character}`);
  const action =
    value === undefined ? "" : `:${value.replaceAll(":", "\\:")}:${isFile(option) ? "_files" : ""}`;
  return `${quoted("*")}${names}${quoted(`[${text}]${action}`)}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
