import { expect, test } from "vitest";
import { suiteRun } from "net-playground/vitest";
import { system } from "./system.mjs";

const shared = suiteRun("orders", system);
const ids = Array.from({ length: 99 }, (_, i) => i + 1);

test.each(ids)("order %i", { timeout: 30_000 }, async (id) => {
  const response = await shared.run.fetch(`http://app:8080/orders/${id}`);
  expect(await response.json()).toEqual({ id, item: `item ${id}` });
});

test("an order that does not exist", async () => {
  const response = await shared.run.fetch("http://app:8080/orders/2000");
  expect(response.status).toBe(404);
});
