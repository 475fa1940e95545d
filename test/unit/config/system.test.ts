// plg.yaml: what it means, and where its errors are.
import { describe, expect, test } from "vitest";
import { parseSystem } from "../../../src/config/system.ts";

const read = (text: string, folder = ".") => parseSystem("plg.yaml", text, folder);
const asUser = (user: string) => commands(`containers: { a: { command: x y, user: ${user} } }`)[0];
const commands = (text: string, folder?: string) =>
  read(text, folder).containers.map(({ name, command }) => `${name}=${command}`);

describe("a system", () => {
  test("has containers in the order of the file, with commands for the shell", () => {
    const text = `
containers:
  Web.1:
    command: [node, app.mjs, "it's"]
    env: { PORT: 8080, VERSION: 1.10, DEBUG: true, NAME: a b }
    cwd: app
  db: postgres -D data; echo over
  1: "true"
`;
    expect(commands(text)).toEqual([
      "Web.1=cd app || exit; export PORT=8080 VERSION=1.10 DEBUG=true NAME='a b'; exec node app.mjs 'it'\\''s'",
      "db=postgres -D data; echo over",
      "1=true",
    ]);
    expect(commands("containers: { a: { command: x, cwd: /srv } }", "sub")).toEqual([
      "a=cd /srv || exit; x",
    ]);
    expect(commands("containers: { a: x, b: { command: y, cwd: ../z } }", "sub")).toEqual([
      "a=cd sub || exit; x",
      "b=cd z || exit; y",
    ]);
  });

  test("runs commands as users", () => {
    expect(asUser("postgres")).toBe(
      `a=exec setpriv --reuid postgres --regid "$(id -g postgres)" --init-groups --inh-caps=-all /bin/sh -c 'x y'`,
    );
    expect(asUser('"7:8"')).toBe(
      "a=exec setpriv --reuid 7 --regid 8 --clear-groups --inh-caps=-all /bin/sh -c 'x y'",
    );
  });

  test("has needs and readiness, one or several", () => {
    const { containers } = read(`
containers:
  db: { command: x, ready: ready to accept }
  app: { command: y, needs: [DB:5432, "db:1"], ready: { command: check } }
  test: { command: z, needs: app:80 }
`);
    expect(containers.map(({ needs, ready }) => [needs, ready])).toEqual([
      [[], "/ready to accept/"],
      [["DB:5432", "db:1"], "check"],
      [["app:80"], undefined],
    ]);
  });

  test("takes anchors and merge keys", () => {
    const text = `
containers:
  a: &base { command: x, env: { K: 1 } }
  b: { <<: *base, command: y }
`;
    expect(commands(text)).toEqual(["a=export K=1; x", "b=export K=1; y"]);
  });
});

describe("an error has a line and a column", () => {
  test.for([
    ["containers: [", /^plg\.yaml:1:\d+: flow sequence .*/],
    ["", /^plg\.yaml:1:1: the file must be keys with values, not null$/],
    ["until: all", /^plg\.yaml:1:1: the key 'containers' is missing$/],
    ["containers: {}", /^plg\.yaml:1:13: 'containers' must be at least one, not 0$/],
    ["containers:\n  a: 3", /^plg\.yaml:2:6: 'a' must be a text or keys with values, not 3$/],
    ["containers:\n  a:", /^plg\.yaml:2:5: 'a' must be a text or keys with values, not null$/],
    [
      "containers:\n  a:\n    comand: x",
      /^plg\.yaml:3:5: unknown key 'comand': did you mean 'command'\?$/,
    ],
    ["containers:\n  a: { env: {} }", /^plg\.yaml:2:3: the key 'command' is missing$/],
    ["containers: { a: x }\nlink: []", /^plg\.yaml:2:1: unknown key 'link': did you mean 'links'/],
    ["containers: { a: x }\nfoobar: 1", /^plg\.yaml:2:1: .*known are containers, file, until/],
    [
      "containers:\n  a: { command: x, env: { K: [1] } }",
      /^plg\.yaml:2:30: 'K' must be a text or a number or true or false, not a list$/,
    ],
    [
      "containers:\n  a: { command: [x, 1] }",
      /^plg\.yaml:2:21: item 2 of 'command' must be a text/,
    ],
    ["containers: { a: x }\ngrace: soon", /^plg\.yaml:2:8: 'grace' must be a duration like 500ms/],
    ["containers: { a: x }\nseed: -1", /^plg\.yaml:2:7: 'seed' must be a whole number from 0/],
    ["containers: { a: x }\nuntil: b", /^plg\.yaml:2:8: 'b' is neither all, first nor/],
    ["containers:\n  -x: y", /^plg\.yaml:2:3: '-x' cannot be a container's name/],
    ["containers:\n  a: x\n  A: y", /^plg\.yaml:3:3: two containers are named 'A'$/],
    ["containers:\n  a: x\n  a: y", /^plg\.yaml:3:3: map keys must be unique$/],
    ["containers:\n  a: { command: x, needs: b:80 }", /^plg\.yaml:2:27: there is no container 'b'/],
    [
      "containers:\n  a: { command: x, needs: [a] }",
      /^plg\.yaml:2:28: 'a' is not NAME:PORT, as in db:5432$/,
    ],
    ["containers:\n  a: { command: x, ready: ( }", /^plg\.yaml:2:27: Invalid regular expression/],
    ["containers:\n  a: { command: x, ready: {} }", /^plg\.yaml:2:27: 'ready' has either a line/],
    [
      "containers:\n  a: { command: x, env: { A-B: 1 } }",
      /^plg\.yaml:2:\d+: 'A-B' cannot be the na/,
    ],
    ["containers: { a: x }\nreplay: { only: b }", /^plg\.yaml:2:17: there is no container 'b'/],
    ["a: &a [*a, *a]\ncontainers: *b", /^plg\.yaml:\d+:\d+: /],
  ] as const)("%j", ([text, says]) => {
    expect(() => read(text)).toThrow(says);
  });
});
