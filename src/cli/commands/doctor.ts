/** `plg doctor`: checks whether this machine can record, and explains how to fix problems. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Command as Cli } from "commander";
import { ExitCode } from "../errors/exit-code.ts";
import type { Check, CheckStatus } from "../../doctor/check.ts";
import { checkMachine } from "../../doctor/machine-checks.ts";
import { checkNamespaces } from "../../doctor/namespace-checks.ts";
import { hasIpv6 } from "../../sandbox/network/space.ts";
import {
  checkOtherUsers,
  checkSubordinateIds,
  checkUserNamespace,
} from "../../doctor/rootless-checks.ts";
import { mainModule } from "../launch/main-module.ts";
import { unshareOptions, withOtherUsers } from "../launch/rootless.ts";
import { tryRecording } from "./trial.ts";

interface DoctorFlags {
  readonly json?: boolean;
  readonly namespaces?: boolean;
}

export function addDoctor(program: Cli, setExitCode: (code: ExitCode) => void): void {
  const cli = program
    .command("doctor")
    .summary("check this machine and explain how to fix problems")
    .description("Check whether this machine can record, and explain how to fix problems")
    .option("--json", "print one JSON object instead");
  cli
    .addOption(cli.createOption("--namespaces", "check the namespaces alone").hideHelp())
    .addHelpText("after", examples)
    .action(async (flags: DoctorFlags) => setExitCode(await doctor(flags)));
}

const examples = `
A check is 'ok', 'missing' (recording is impossible without it) or 'limited'
(recording works with a restriction). The exit code is 0 if recording works
here, else 4.

Examples:
  $ plg doctor
  $ sudo plg doctor
  $ plg doctor --json | jq '.checks[] | select(.status != "ok")'`;

async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const checks = flags.namespaces ? await checkNamespaces() : await allChecks();
  const ok = !checks.some(({ status }) => status === "missing");
  if (flags.json) process.stdout.write(`${JSON.stringify({ ok, checks })}\n`);
  else process.stdout.write(render(checks, ok));
  return ok ? ExitCode.ok : ExitCode.machine;
}

async function allChecks(): Promise<Check[]> {
  const isRoot = process.geteuid?.() === 0;
  const machine = await checkMachine(process.cwd());
  const namespaces = isRoot
    ? [...(await checkNamespaces()), await checkOtherUsers(unshareOptions)]
    : await checkAsUser();
  return [...machine, ...namespaces, tryRecording(hasIpv6())];
}

/** Without root, plg works in a user namespace, so the remaining checks run in one. */
async function checkAsUser(): Promise<Check[]> {
  const user = await checkUserNamespace(unshareOptions);
  if (user.status !== "ok") return [user];
  const self = [process.execPath, mainModule, "doctor", "--namespaces", "--json"];
  const options = { encoding: "utf8", timeout: 20_000 } as const;
  const { stdout } = spawnSync("unshare", [...unshareOptions, "--", ...self], options);
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return [user, await checkSubordinateIds(withOtherUsers), ...checks];
}

const marks: Readonly<Record<CheckStatus, string>> = {
  ok: "ok",
  limited: "limited",
  missing: "missing",
};

function render(checks: readonly Check[], ok: boolean): string {
  const nameWidth = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, status, detail, fix }) => {
    const head = `${marks[status].padEnd("missing".length)}  ${name.padEnd(nameWidth)}  ${detail}`;
    return fix === undefined ? head : `${head}\n${" ".repeat(11 + nameWidth)}fix: ${fix}`;
  });
  const verdict = ok ? "Recording works here." : "Recording does not work here yet.";
  return `${[...lines, "", verdict, ...(ok ? [] : hints())].join("\n")}\n`;
}

/** How to start plg in a container or on CI. See docs/ci.md. */
function hints(): string[] {
  const inContainer = existsSync("/.dockerenv") || existsSync("/run/.containerenv");
  const all: readonly (readonly [boolean, string])[] = [
    [
      inContainer,
      "Docker: docker run --device /dev/net/tun --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined --security-opt systempaths=unconfined ...",
    ],
    [process.env["GITHUB_ACTIONS"] === "true", 'GitHub Actions: sudo env "PATH=$PATH" plg ...'],
    [
      process.env["GITLAB_CI"] === "true",
      "GitLab: a runner with devices, cap_add and security_opt as in docs/ci.md, or privileged = true",
    ],
  ];
  const here = all.filter(([applies]) => applies).map(([, hint]) => hint);
  return here.length > 0 ? here : ["In a container or on CI: docs/ci.md has the options."];
}
