import type { Scenario } from "./scenario.ts";
import { attempts } from "./scenarios/attempts.ts";
import { endings } from "./scenarios/endings.ts";
import { names } from "./scenarios/names.ts";
import { options } from "./scenarios/options.ts";
import { resets } from "./scenarios/resets.ts";
import { streams } from "./scenarios/streams.ts";

/** In the order of the page. */
export const scenarios: readonly Scenario[] = [
  ...attempts,
  ...names,
  ...streams,
  ...endings,
  ...resets,
  ...options,
];
