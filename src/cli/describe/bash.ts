/** Completions for bash: `source <(plg completion bash)`. Pure. */
import { type DescribedCommand, type DescribedProgram, isFile } from "./program.ts";

export function bashCompletion({ commands }: DescribedProgram): string {
  return `# Completions of plg for bash: source <(plg completion bash)
_plg() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(" ")} help --record --replay --help --version' -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(caseOf).join("\n")}
  esac
}
complete -o default -F _plg plg
`;
}

function caseOf({ name, options, words }: DescribedCommand): string {
  const all = options.flatMap(({ short, long }) => (short === undefined ? [long] : [short, long]));
  const takers = options.filter((option) => option.value !== undefined && !isFile(option));
  const files = options.filter(isFile);
  const pattern = (some: typeof options): string =>
    some.flatMap(({ short, long }) => (short === undefined ? [long] : [short, long])).join("|");
  return `    ${name})
      case $before in${files.length === 0 ? "" : `\n        ${pattern(files)}) return ;;`}${
        takers.length === 0 ? "" : `\n        ${pattern(takers)}) compopt +o default; return ;;`
      }
      esac
      case $word in
        -*) COMPREPLY=($(compgen -W '${all.join(" ")}' -- "$word")) ;;${
          words.length === 0
            ? ""
            : `\n        *) COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$word")) ;;`
        }
      esac ;;`;
}
