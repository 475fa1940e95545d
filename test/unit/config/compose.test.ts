import { expect, test } from "vitest";
import { draftFromCompose } from "../../../src/config/compose.ts";
import { example, renderDraft } from "../../../src/config/draft.ts";
import { parseSystem } from "../../../src/config/system.ts";

const compose = `
version: "3"
services:
  cache: { image: redis:7, command: redis-server --save "", expose: ["6379"] }
  db: { image: "postgres:16", ports: ["5432:5432"] }
  app:
    build: .
    entrypoint: ["node"]
    command: ["app.mjs", "$$HOME"]
    working_dir: app
    user: "1000:1000"
    environment: [PORT=8080, EMPTY, "URL=redis://cache/?a=b", "KEY=\${KEY}"]
    ports: [{ target: 8080, published: 80 }]
    depends_on: { cache: { condition: service_started }, db: { condition: service_healthy } }
    healthcheck: { test: [CMD, curl, -f, "http://app:8080/a b"] }
  test:
    command: "npm test"
    environment: { CI: true, TAG: null }
    depends_on: [app, cache]
`;

test("takes the services that have commands, with what else fits", () => {
  const draft = draftFromCompose("compose.yaml", compose);
  expect(draft.file.containers).toEqual({
    cache: { command: 'redis-server --save ""' },
    app: {
      command: ["node", "app.mjs", "$HOME"],
      cwd: "app",
      user: "1000:1000",
      env: { PORT: "8080", EMPTY: "", URL: "redis://cache/?a=b", KEY: "${KEY}" },
      needs: ["cache:6379"],
      ready: { command: "curl -f 'http://app:8080/a b'" },
    },
    test: {
      command: "npm test",
      env: { CI: "true", TAG: "" },
      needs: ["app:8080", "cache:6379"],
    },
  });
  expect(draft.notes.join("\n")).toContain("db (postgres:16)");
  expect(draft.notes.join("\n")).toContain("${VARIABLES}");
});

test("a draft is a file that plg reads", () => {
  for (const draft of [example, draftFromCompose("compose.yaml", compose)]) {
    const { containers } = parseSystem("plg.yaml", renderDraft(draft, "./schema.json"), ".");
    expect(containers.map(({ name }) => name)).toEqual(Object.keys(draft.file.containers));
  }
});

test("no service with a command is an error with a place", () => {
  expect(() => draftFromCompose("c.yaml", "services:\n  db: { image: x }")).toThrow(
    /^c\.yaml:1:1: no service has a command$/,
  );
  expect(() => draftFromCompose("c.yaml", "services: [a]")).toThrow(
    /^c\.yaml:1:11: 'services\.0' is/,
  );
});
