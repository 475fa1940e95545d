/**
 * The app runs inside the test process, which is easy to debug, and its clients connect through the
 * run. Random bytes and dates of this process are not those of the recording; so the database
 * trusts its clients, because SCRAM would send a fresh random number.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { testRun } from "net-playground/node-test";
import { Pool } from "pg";
import { buildApp } from "../orders/app.mjs";
import { system } from "../orders/system.mjs";

const { db, cache } = system.containers;
const containers = { db: { ...db, command: [...db.command.slice(0, -1), "trust"] }, cache };

test("an order comes from the database first, and then from the cache", async (t) => {
  const run = await testRun(t, "one order", { containers });
  const pool = new Pool({ host: "db", user: "postgres", max: 1, stream: () => run.socket() });
  const redis = new Redis({ host: "cache", Connector: run.ioredisConnector });
  const app = await buildApp({ pool, redis });
  for (const _ of ["database", "cache"]) {
    const response = await app.inject("/orders/7");
    assert.deepEqual(response.json(), { id: 7, item: "item 7" });
  }
  await app.close();
  await pool.end();
  await redis.quit();
});
