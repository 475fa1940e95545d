/** The benchmark's command line. */
import { parseArgs } from "node:util";
import { UsageError } from "../src/base/errors.ts";

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  /** Names of measurements; empty for all. */
  readonly only: readonly string[];
  readonly json: boolean;
  readonly help: boolean;
  /** Where the dumps are written. */
  readonly folder: string;
  /** The main module of another build of plg. */
  readonly plg: string | undefined;
}

export const usage = `usage: npm run bench -- [options]

Measures programs over a direct veth pair and through 'plg record' recording to disk, in turns.

  --rounds N       how often each is measured (default 3)
  --seconds N      how long a measurement lasts that has a duration (default 3)
  --only NAME,...  these measurements alone
  --json           the result as JSON on standard output
  --folder PATH    where the dumps are written and deleted again, best on a real disk (default /var/tmp)
  --plg FILE       the dist/cli/main.js of another build of plg
  --help           this text
`;

export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    rounds: positive(values.rounds, "--rounds", 1000),
    seconds: positive(values.seconds, "--seconds", 600),
    only: values.only?.split(",") ?? [],
    json: values.json,
    help: values.help,
    folder: values.folder,
    plg: values.plg,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "3" },
        only: { type: "string" },
        json: { type: "boolean", default: false },
        folder: { type: "string", default: "/var/tmp" },
        plg: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function positive(text: string, option: string, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most)
    throw new UsageError(`${option} '${text}' is out of range: give a number from 1 to ${most}`);
  return value;
}
