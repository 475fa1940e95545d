/** A strict project compiles against the package's types, however it resolves modules. */
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { newFolder } from "./library.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const consumer = `
import { diff, importCapture, openDump, PlgError, record, replay, type Run } from "net-playground";
import { openDump as openBytes } from "net-playground/dump";
import { testRun } from "net-playground/node-test";
import { suiteRun } from "net-playground/vitest";
import { Socket } from "node:net";

export async function use(): Promise<number> {
  await using run = await record({ file: "a", containers: { db: "redis-server" } });
  const socket: Socket = run.connect("db", 6379);
  const response: Response = await run.fetch("http://db/", { method: "POST" });
  await fetch("http://db/", { dispatcher: run.dispatcher });
  for await (const event of run.events) if (event.type === "output") console.log(event.line, response, socket);
  const again = await replay({ file: "a", only: ["db"], speed: "flood" });
  const { differences } = await again.finish();
  const any: Run<unknown> = again;
  for await (const message of (await openDump("a")).messages()) console.log(message.text, any);
  await openBytes(new Uint8Array());
  await importCapture("a.pcap", { file: "b" });
  const { onlyFirst } = await diff("a", "b", { ignore: [":80/Date/"] });
  return differences.count + onlyFirst.length;
}
export const code = (error: unknown) => (error instanceof PlgError ? error.code : undefined);
export { suiteRun, testRun };
`;

test.for([
  ["node16", "node16"],
  ["bundler", "esnext"],
])("with moduleResolution %s", ([moduleResolution, module]) => {
  const folder = newFolder();
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(root, join(folder, "node_modules/net-playground"));
  for (const name of ["vitest", "@types/node"])
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  writeFileSync(join(folder, "package.json"), `{ "type": "module" }`);
  writeFileSync(join(folder, "consumer.ts"), consumer);
  const compilerOptions = {
    module,
    moduleResolution,
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    // Of the packages' declarations, only ours are this test's business.
    skipLibCheck: true,
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", "."], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(stdout).toBe("");
  expect(status).toBe(0);
});
