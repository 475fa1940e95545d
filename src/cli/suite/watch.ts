/** Waits for a change of files. */
import { type FSWatcher, watch } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MachineError } from "../../base/errors.ts";
import { foldersIn } from "./discover.ts";

/** A program writes a file in several steps; they count as one change. */
const quietMs = 200;

/**
 * Settles when something below one of these folders has changed since the call, or `signal` is
 * aborted. Throws if a folder cannot be watched.
 *
 * Node's own recursive watching sets up its watches later, so it would miss a change that comes
 * early (Node 20, lib/internal/fs/recursive_watch.js).
 */
export function untilChanged(paths: readonly string[], signal: AbortSignal): Promise<void> {
  const watchers = paths.flatMap(foldersIn).map(watchFolder);
  return firstChange(watchers, signal);
}

function watchFolder(folder: string): FSWatcher {
  try {
    return watch(folder);
  } catch (error) {
    throw new MachineError(`cannot watch ${folder}: ${(error as Error).message}`, { cause: error });
  }
}

async function firstChange(watchers: readonly FSWatcher[], signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const watcher of watchers) watcher.once("change", () => resolve());
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  for (const watcher of watchers) watcher.close();
  await sleep(signal.aborted ? 0 : quietMs);
}
