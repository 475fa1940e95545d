/** The same scenarios over the three kinds of network. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Family } from "../../src/base/units.ts";
import { inNamespaces } from "../../src/sys/namespace.ts";
import { linesOf, type Plg } from "../programs/plg.ts";
import { replay, type ReplayReport } from "../programs/replays.ts";
import type { Network, Scenario } from "./actor/scenario.ts";
import type { Places, Role } from "./actor/stage.ts";
import { VethPair } from "./veth.ts";

export const families: readonly Family[] = [4, 6];
const roles: readonly Role[] = ["server", "client"];

/** What both processes of a scenario saw, by family: lines such as "client: connect: ok". */
export type Observations = Readonly<Record<Family, readonly string[]>>;

/** What one kind of network gave, by the scenario's name. */
export type Seen = ReadonlyMap<string, Observations>;

const main = fileURLToPath(new URL("dist/test/network/actor/main.js", import.meta.url));
const limitMs = 120_000;

/** Compiles the actors, which Node cannot run as they are. */
export function compileActors(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", join(root, "test/network/tsconfig.json")], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the actors do not compile:\n${stdout}`);
}

/**
 * The scenarios are played by several troupes at the same time, each with two hosts of its own:
 * most scenarios wait more than they work, and a process for each would take the machine longer to
 * start than to play.
 */
const troupeCount = 6;

interface Troupe {
  readonly name: string;
  readonly places: readonly Places[];
  readonly scenarios: readonly Scenario[];
}

function troupesOf(scenarios: readonly Scenario[]): Troupe[] {
  return Array.from({ length: Math.min(troupeCount, scenarios.length) }, (_, index) => ({
    name: `troupe-${index + 1}`,
    places: placesOf(index),
    scenarios: scenarios.filter((_scenario, i) => i % troupeCount === index),
  }));
}

/** The two hosts of the `index`-th troupe, as they are numbered in a run of plg. */
function placesOf(index: number): Places[] {
  const [server, client, nobody] = [2 * index + 1, 2 * index + 2, 254];
  return families.map((family) => {
    const prefix = family === 4 ? "10.0.0." : "fd70:6c67:a00::";
    const address = (host: number): string => prefix + (family === 4 ? host : host.toString(16));
    return { family, server: address(server), client: address(client), nobody: address(nobody) };
  });
}

/** An actor's arguments, after Node's own name. */
function argumentsOf({ places, scenarios }: Troupe, role: Role, folder: string): string[] {
  const names = scenarios.map(({ name }) => name);
  return [main, role, folder, JSON.stringify(places), JSON.stringify(names)];
}

/** Each troupe over a veth pair of its own. */
export async function overVeth(scenarios: readonly Scenario[], folder: string): Promise<Seen> {
  const own = ownFolder(folder, "veth");
  const outputs = await Promise.all(
    troupesOf(scenarios).map(async (troupe) => {
      const addresses = (role: Role): string[] =>
        troupe.places.map((place) => `${place[role]}/${place.family === 4 ? 24 : 64}`);
      const pair = new VethPair({ server: addresses("server"), client: addresses("client") });
      const children = roles.map((role) =>
        inNamespaces([pair.hosts[role]], () => start(argumentsOf(troupe, role, own))),
      );
      return Promise.all(children.map(outputOf)).finally(() => {
        for (const child of children) child.kill("SIGKILL");
        pair.close();
      });
    }),
  );
  return seenIn(scenarios, (role) =>
    outputs.flatMap((ofTroupe) => ofTroupe[roles.indexOf(role)] ?? []),
  );
}

/** All in one run of plg. */
export async function recorded(
  scenarios: readonly Scenario[],
  folder: string,
  plg: Plg,
): Promise<Seen> {
  const own = ownFolder(folder, "record");
  const commands = troupesOf(scenarios).flatMap((troupe) =>
    roles.map((role) => {
      const words = [process.execPath, ...argumentsOf(troupe, role, own)];
      return `${troupe.name}-${role}=exec ${words.map((word) => `'${word}'`).join(" ")} 2>&1`;
    }),
  );
  // Every server is met only once it listens, and a refusal is one.
  const run = await plg.run(["record", "--wait-listen=0s", ...commands], { timeoutMs: limitMs });
  return seenInRun(scenarios, run.stdout);
}

/**
 * The replay of that, all of it, and what it told. Patient: so many processes take their time to
 * start.
 */
export async function replayed(
  scenarios: readonly Scenario[],
  plg: Plg,
): Promise<{ readonly seen: Seen; readonly report: ReplayReport }> {
  const { run, report } = await replay(plg, ["--patience=20s"], { timeoutMs: limitMs });
  return { seen: seenInRun(scenarios, run.stderr), report };
}

function seenInRun(scenarios: readonly Scenario[], stdout: string): Seen {
  return seenIn(scenarios, (role) =>
    troupesOf(scenarios).flatMap(({ name }) => linesOf({ stdout }, `${name}-${role}`)),
  );
}

/** What those in one role printed begins with the scenario's name and the family. */
function seenIn(scenarios: readonly Scenario[], linesOfRole: (role: Role) => string[]): Seen {
  const lines = roles.map((role) => [role, linesOfRole(role)] as const);
  const observations = (name: string, family: Family): string[] =>
    lines.flatMap(([role, all]) => {
      const prefix = `${name} IPv${family} `;
      const own = all.filter((line) => line.startsWith(prefix));
      return own.map((line) => `${role}: ${line.slice(prefix.length)}`);
    });
  const troubles = lines.flatMap(([, all]) => all.filter((line) => !/^\S+ IPv[46] /.test(line)));
  if (troubles.length > 0) console.error(troubles.join("\n"));
  return new Map(
    scenarios.map(({ name }) => [name, { 4: observations(name, 4), 6: observations(name, 6) }]),
  );
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout: limitMs });
}

async function outputOf(child: ChildProcess): Promise<string[]> {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  return output.split("\n").filter((line) => line !== "");
}

function ownFolder(folder: string, network: Network): string {
  const own = join(folder, network);
  mkdirSync(own, { recursive: true });
  return own;
}
