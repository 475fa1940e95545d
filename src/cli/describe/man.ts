/** The manual page, in the man macros (man(7)). Pure. */
import type { DescribedCommand, DescribedOption, DescribedProgram } from "./program.ts";

export function manualPage({ version, description, commands, more }: DescribedProgram): string {
  return `.TH PLG 1 "" "plg ${version}" "Net Playground"
.SH NAME
plg \\- ${escaped(lowered(description))}
.SH SYNOPSIS
.B plg
.I command
.RI [ options ]
.SH COMMANDS
${commands.map(commandOf).join("")}${literal(more)}`;
}

function commandOf({ name, usage, description, options, more }: DescribedCommand): string {
  return `.SS plg ${name} ${escaped(usage)}
${sentence(description)}
${options.map(optionOf).join("")}${literal(more)}`;
}

function optionOf({ short, long, value, description }: DescribedOption): string {
  const names = [short, long]
    .filter((name) => name !== undefined)
    .map((name) => `\\fB${escaped(name)}\\fR`);
  const taken = value === undefined ? "" : ` \\fI${escaped(value)}\\fR`;
  return `.TP
${names.join(", ")}${taken}
${sentence(description)}
`;
}

/** Text in columns stays as it is. */
function literal(text: string): string {
  return text.trim() === ""
    ? ""
    : `.PP\n.nf\n${text.trim().split("\n").map(sentence).join("\n")}\n.fi\n`;
}

/** A line that begins with a period or an apostrophe would be a macro. */
function sentence(text: string): string {
  return escaped(text).replace(/^[.']/, "\\&$&");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}

function lowered(text: string): string {
  return text.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}
