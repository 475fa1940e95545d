/**
 * How often a scenario does what. Each scenario has moods of its own, so that features meet in all
 * combinations.
 */
import type { Chance } from "./chance.ts";

export interface Moods {
  /** Weights of how servers know their connections. */
  readonly order: number;
  readonly port: number;
  readonly hello: number;
  readonly login: number;
  /** Weights of what happens on a connection. */
  readonly small: number;
  readonly large: number;
  readonly flood: number;
  readonly slowReader: number;
  readonly smallWrites: number;
  readonly rounds: number;
  readonly duplex: number;
  readonly unread: number;
  readonly halfClose: number;
  readonly idle: number;
  /** Weights of how a connection ends. */
  readonly close: number;
  readonly together: number;
  readonly reset: number;
  readonly lastWords: number;
  readonly cancel: number;
  readonly leave: number;
  /** In percent, of connections or steps. */
  readonly reusedPort: number;
  readonly batch: number;
  readonly silent: number;
  readonly pause: number;
  readonly refused: number;
  readonly ownThread: number;
  /** In percent, of scenarios. */
  readonly late: number;
  readonly narrowBacklog: number;
  readonly alone: number;
  readonly links: number;
  readonly datagrams: number;
}

const usual: Moods = {
  order: 3,
  port: 1,
  hello: 3,
  login: 1,
  small: 8,
  large: 2,
  flood: 1,
  slowReader: 1,
  smallWrites: 1,
  rounds: 2,
  duplex: 1,
  unread: 2,
  halfClose: 1,
  idle: 1,
  close: 8,
  together: 1,
  reset: 2,
  lastWords: 1,
  cancel: 1,
  leave: 1,
  reusedPort: 8,
  batch: 10,
  silent: 30,
  pause: 3,
  refused: 2,
  ownThread: 25,
  late: 20,
  narrowBacklog: 20,
  alone: 20,
  links: 20,
  datagrams: 30,
};

/** Some features are left out, and some are frequent. `without` names others that are left out. */
export function moodsOf(chance: Chance, without: readonly string[]): Moods {
  for (const name of without)
    if (!(name in usual)) throw new Error(`"${name}" is none of ${Object.keys(usual).join(", ")}`);
  const factor = (): number =>
    chance.weighted<number>([
      [3, 0],
      [4, 1],
      [2, 5],
    ]);
  const entries = Object.entries(usual).map(([name, weight]) => {
    const drawn = weight * factor();
    return [name, without.includes(name) ? 0 : drawn] as const;
  });
  return Object.fromEntries(entries) as unknown as Moods;
}
