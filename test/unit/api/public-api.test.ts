import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { publicApi } from "./public-api.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const page = join(root, "docs/public-api.md");

test("the public API is the one in docs/public-api.md", () => {
  const now = publicApi(root);
  if (process.env["PLG_WRITE_PAGE"] === "1") writeFileSync(page, now);
  expect(readFileSync(page, "utf8")).toBe(now);
});

test("what browsers import reaches no module of Node", () => {
  const seen = new Set<string>();
  const open = [join(root, "src/api/dump/index.ts")];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = readFileSync(file, "utf8");
    for (const [, specifier = ""] of source.matchAll(/from "([^"]+)"/g)) {
      expect(specifier, file).toMatch(/^\./);
      open.push(join(file, "..", specifier));
    }
  }
  expect(seen.size).toBeGreaterThan(20);
});
