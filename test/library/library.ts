/** The built library, as another project imports it. Its threads need compiled files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type * as Library from "../../src/index.ts";

const path = new URL("../../dist/index.js", import.meta.url).href;

export const library: typeof Library = (await import(path)) as typeof Library;

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder that is deleted after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "plg-library-"));
  folders.push(folder);
  return folder;
}
