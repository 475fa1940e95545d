/** Recording a run and replaying it, in one test. */
import { expect } from "vitest";
import { expectOk, type Finished, linesOf, type Plg, type StartOptions } from "./plg.ts";

/** A difference as `--json` tells it: what the tests look at. */
interface ToldDifference {
  readonly kind: string;
  readonly process: string;
  readonly server: string;
  readonly serverPort: number;
  readonly offset?: number;
  readonly expectedBytes?: number;
  readonly before?: string;
  readonly recorded?: string;
  readonly live?: string;
  readonly datagrams?: number;
  readonly unit?: string;
  readonly shape?: { readonly name: string; readonly mask: string };
  readonly text: string;
}

/** How a live command ended: what the tests look at. */
interface ToldCommand {
  readonly name: string;
  readonly exitCode?: number;
  /** It was still running when plg stopped it. */
  readonly stopped: boolean;
}

/** What `plg replay --json` prints. */
export interface ReplayReport {
  readonly durationMs: number;
  readonly commands: readonly ToldCommand[];
  readonly played: number;
  readonly total: number;
  readonly count: number;
  readonly byProcess: Readonly<Record<string, number>>;
  readonly differences: readonly ToldDifference[];
  readonly notes: readonly ToldDifference[];
}

export class Replayed {
  readonly run: Finished;

  constructor(run: Finished) {
    this.run = run;
  }

  get report(): ReplayReport {
    return JSON.parse(this.run.stdout) as ReplayReport;
  }

  /** What a command printed. With `--json` that goes to standard error. */
  lines(name: string): string[] {
    return linesOf({ stdout: this.run.stderr }, name);
  }
}

/** Records; the commands must do well. */
export async function record(plg: Plg, ...args: readonly string[]): Promise<Finished> {
  const run = await plg.run(["record", "--wait-listen=10s", ...args]);
  expectOk(run);
  return run;
}

/** A connection as `plg show --json` describes it: the part that the tests look at. */
interface ShownConnection {
  readonly ending: string;
  readonly bytesToServer: number;
  readonly bytesToClient: number;
}

/** The connections of the test's dump, in the order of their SYNs. */
export async function recordedConnections(plg: Plg): Promise<readonly ShownConnection[]> {
  const run = await plg.run(["show", "--json"]);
  expectOk(run);
  return (JSON.parse(run.stdout) as { connections: readonly ShownConnection[] }).connections;
}

/** Replays the test's dump, however that ends. */
export async function replay(
  plg: Plg,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<Replayed> {
  return new Replayed(await plg.run(["replay", "--json", ...args], options));
}

/** Replays, and all of the recording must have happened again. */
export async function expectSame(plg: Plg, ...args: readonly string[]): Promise<Replayed> {
  const replayed = await replay(plg, args);
  const { stdout, stderr } = replayed.run;
  expect(replayed.run, `replay ${args.join(" ")}\n${stdout}\n${stderr}`).toMatchObject({
    exitCode: 0,
    signal: null,
  });
  const { report } = replayed;
  expect(report).toMatchObject({ count: 0, differences: [] });
  expect(report.played).toBe(report.total);
  return replayed;
}

/** Replays, and it must differ, in what `process` does alone. */
export async function expectDiffers(
  plg: Plg,
  process: string,
  ...args: readonly string[]
): Promise<Replayed> {
  const replayed = await replay(plg, args);
  const { stdout, stderr } = replayed.run;
  expect(replayed.run, `replay ${args.join(" ")}\n${stdout}\n${stderr}`).toMatchObject({
    exitCode: 3,
    signal: null,
  });
  expect(Object.keys(replayed.report.byProcess)).toEqual([process]);
  return replayed;
}

/** Bytes that a report gives in hexadecimal, as text. */
export function textOf(hex: string | undefined): string {
  return Buffer.from(hex ?? "", "hex").toString("latin1");
}
