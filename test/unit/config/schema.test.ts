// The published JSON schema is the one that plg itself checks files with.
import { toJsonSchema } from "@valibot/to-json-schema";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { systemSchema } from "../../../src/config/schema.ts";

test("is the file plg.schema.json; PLG_WRITE_PAGE=1 writes it", () => {
  const path = new URL("../../../plg.schema.json", import.meta.url);
  const schema = toJsonSchema(systemSchema, { target: "draft-07" });
  const fresh = `${JSON.stringify({ title: "plg.yaml", ...schema }, undefined, 2)}\n`;
  if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(path, fresh);
  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual(JSON.parse(fresh));
});
