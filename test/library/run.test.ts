/** The library within this very process: it records, takes part, replays and reads. */
import { once } from "node:events";
import { createServer } from "node:http";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Run, RunEvent } from "../../src/index.ts";
import { library, newFolder } from "./library.ts";

const { diff, openDump, record, replay } = library;

/** Answers each request with what the test, as a server, answers to the same path. */
const relay = [
  process.execPath,
  "-e",
  `const http = require("node:http");
   http.createServer((request, response) => {
     response.sendDate = false;
     http.get("http://test:9000" + request.url, (answer) => answer.pipe(response));
   }).listen(8080, () => console.log("ready on " + process.env.GREETING));`,
];
const containers = { app: { command: relay, env: { GREETING: "8080" }, ready: /^ready/ } };

/** What the test says, and hears, in the recording and in the replay. */
async function talk(run: Run<unknown>, path: string): Promise<string> {
  const server = createServer((request, response) => {
    response.sendDate = false;
    response.end(`you asked for ${request.url}`);
  });
  await run.listen(9000, server);
  const answers = [await run.fetch(`http://app:8080${path}`)];
  answers.push(await fetch("http://app:8080/again", { dispatcher: run.dispatcher }));
  return (await Promise.all(answers.map((answer) => answer.text()))).join("; ");
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("a process records, takes part as a container, and is compared in a replay", async () => {
  const file = join(newFolder(), "orders.traffic");
  const run = await record({ file, containers });
  expect(run.containers.map(({ name }) => name)).toEqual(["app", "test"]);
  const events: Promise<readonly RunEvent[]> = collect(run.events);
  expect(await talk(run, "/orders")).toBe("you asked for /orders; you asked for /again");
  const recorded = await run.stop();
  expect(recorded.exits["app"]).toMatchObject({ signal: "SIGTERM", stopped: true });
  const line = { type: "output", container: "app", stream: "stdout", line: "ready on 8080" };
  expect(await events).toContainEqual(line);

  // The same again: no difference. The recorded command lacks its environment, so it is given.
  await using same = await replay({ file, containers });
  expect(await talk(same, "/orders")).toBe("you asked for /orders; you asked for /again");
  const { differences, live, played, total } = await same.finish();
  expect(differences.differences).toEqual([]);
  expect(live).toEqual(["app", "test"]);
  expect(played).toBe(total);

  // Another question of this process is a difference of this process.
  await using other = await replay({ file, only: [], patienceMs: 500 });
  await talk(other, "/invoices");
  const changed = await other.finish();
  expect(changed.live).toEqual(["test"]);
  expect(changed.differences.differences[0]).toMatchObject({ process: "test", kind: "bytes" });

  const dump = await openDump(file);
  expect(await dump.state()).toMatchObject({ isComplete: true });
  expect(
    (await collect(dump.connections())).map(({ client, server }) => [client, server]),
  ).toContainEqual(["app", "test"]);
  const texts = (await collect(dump.messages({ connection: 1 }))).map(({ text }) => text);
  expect(texts).toEqual([expect.stringContaining("GET /orders"), expect.stringContaining("200")]);
  expect(await diff(file, file)).toMatchObject({ differences: [], onlyFirst: [], onlySecond: [] });
});

test("a raw socket is refused as in any container", async () => {
  const file = join(newFolder(), "raw.traffic");
  await using run = await record({ file, containers: { idle: "sleep 100" }, waitListenMs: 0 });
  const [error] = await once(run.connect("idle", 81), "error");
  expect(error).toMatchObject({ code: "ECONNREFUSED" });
  expect(() => run.connect("nobody", 81)).toThrow("there is no container 'nobody'");
  await expect(run.listen(0)).resolves.toBeDefined();
});

test("errors have codes, and an aborted signal stops a run or keeps it from starting", async () => {
  const folder = newFolder();
  const file = join(folder, "none.traffic");
  const wrong = record({ file, containers: { "bad name": "true" } });
  await expect(wrong).rejects.toMatchObject({ code: "invalid-argument" });
  await expect(replay({ file })).rejects.toMatchObject({ code: "dump-unreadable" });
  await expect(record({ file, containers: {} })).rejects.toMatchObject({ code: "no-command" });
  const signal = AbortSignal.abort();
  await expect(record({ file, containers: { a: "true" }, signal })).rejects.toThrow("aborted");
  expect(existsSync(file)).toBe(false);

  const aborting = new AbortController();
  const running = await record({ file, containers: { a: "sleep 100" }, signal: aborting.signal });
  aborting.abort();
  const { exits } = await running.finish();
  expect(exits["a"]).toMatchObject({ stopped: true });
});
