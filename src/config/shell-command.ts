/**
 * One shell command for a container with environment, folder and user. Pure.
 *
 * The dump keeps the command that `/bin/sh -c` ran. With everything in that line, a recording can
 * be replayed without its plg.yaml, and the seal over the commands covers everything that runs.
 */

export interface CommandParts {
  /** A line for the shell, or a program with its arguments. */
  readonly command: string | readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** "." for plg's own. */
  readonly cwd: string;
  /** USER or USER:GROUP. */
  readonly user?: string | undefined;
}

export function shellCommand({ command, env, cwd, user }: CommandParts): string {
  const folder = cwd === "." ? [] : [`cd ${quoted(cwd)} || exit`];
  const variables = Object.entries(env).map(([name, value]) => `${name}=${quoted(value)}`);
  const exported = variables.length === 0 ? [] : [`export ${variables.join(" ")}`];
  const line = typeof command === "string" ? command : `exec ${command.map(quoted).join(" ")}`;
  const whole = [...folder, ...exported, line].join("; ");
  return user === undefined ? whole : asUser(user, whole);
}

/**
 * setpriv(1) also sets the supplementary groups. Without root, unshare leaves the caller's
 * capabilities inheritable, and changing the user does not clear them.
 */
function asUser(user: string, command: string): string {
  const [name = "", group] = user.split(":");
  const isNumber = /^\d+$/.test(name);
  const own = isNumber ? name : `"$(id -g ${quoted(name)})"`;
  const groups = isNumber ? "--clear-groups" : "--init-groups";
  const identity = `--reuid ${quoted(name)} --regid ${group === undefined ? own : quoted(group)}`;
  return `exec setpriv ${identity} ${groups} --inh-caps=-all /bin/sh -c ${quoted(command)}`;
}

/** A word that the shell takes as it is. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
