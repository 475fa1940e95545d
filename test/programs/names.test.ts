// Containers are called what people call them, and are found by these names.
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

describe("the names of containers", () => {
  needs();

  test("may have capitals, underscores and dots, and resolve in lower case, too", async ({
    plg,
  }) => {
    const look = "for name in my_db Web.1 web.1; do getent ahostsv4 $name | head -n 1; done";
    const run = await plg.run(["record", "my_db=true", "Web.1=true", `look=${look}`]);
    expectOk(run);
    const found = linesOf(run, "look").map((line) => line.split(/\s+/)[0]);
    expect(found).toEqual(["10.0.0.1", "10.0.0.2", "10.0.0.2"]);
    const replay = await plg.run(["replay", "--only", "WEB.1,look", "LOOK=true", "web.1=echo web"]);
    expectOk(replay);
    expect(linesOf(replay, "Web.1")).toEqual(["web"]);
  });

  test.for([
    "ü=true",
    "a-=true",
    "10.0.0.1=true",
    "db@home=true",
    "=true",
    "Localhost=true",
    "my!db=true",
  ])("%s is refused, and nothing is run", async (text, { plg }) => {
    const run = await plg.run(["record", text]);
    expect(run.stderr).toMatch(/^plg: '[^\n]*' cannot be a container's name: use [^\n]+\n$/);
    expect(run.exitCode).toBe(2);
  });

  test("are never assignments of the shell, but in the classic form", async ({ plg }) => {
    const named = await plg.run(["record", "my_var=echo [$my_var]"]);
    expect(linesOf(named, "my_var")).toEqual(["[]"]);
    const classic = await plg.run(["--record", "my_var=1; echo [$my_var]"]);
    expect(linesOf(classic, "echo")).toEqual(["[1]"]);
  });
});
