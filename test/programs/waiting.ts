import { setTimeout as sleep } from "node:timers/promises";

const lookMs = 10;

/**
 * Waits until `holds`, which is asked again and again; throws with an explanation when it takes too
 * long.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  options: { readonly timeoutMs?: number; readonly explain?: () => string } = {},
): Promise<void> {
  const { timeoutMs = 10_000, explain } = options;
  const untilMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > untilMs)
      throw new Error(`not within ${timeoutMs} ms: ${what}\n${explain?.() ?? ""}`);
    await sleep(lookMs);
  }
}
