import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/base/errors.ts";
import { Subnet } from "../../../src/net/subnet.ts";
import { hostsText } from "../../../src/sandbox/processes/hosts.ts";
import {
  type CommandLine,
  parseCommand,
  planTopology,
  type Topology,
} from "../../../src/sandbox/network/topology.ts";

const plan = (commands: readonly (string | CommandLine)[], subnet = "10.0.0.0/24"): Topology =>
  planTopology(
    [Subnet.parse(subnet), Subnet.parse("fd00:1::/64")],
    commands.map((command) => (typeof command === "string" ? { command } : command)),
  );

const namesOf = (...commands: string[]): string[] =>
  plan(commands).containers.map(({ name }) => name);

const someCommands = (count: number): string[] => Array.from({ length: count }, () => "x");

describe("parseCommand", () => {
  it.each([
    ["server=redis-server --port 1", "server", "redis-server --port 1"],
    ["s-2=a=b", "s-2", "a=b"],
    ["a=", "a", ""],
    ["a=line one\nline two", "a", "line one\nline two"],
    ["my_db=redis-server --port 1", "my_db", "redis-server --port 1"],
    ["Web.1=./server", "Web.1", "./server"],
    ["PORT=80 server", "PORT", "80 server"],
    ["_=x", "_", "x"],
    ["curl --max-time=1", undefined, "curl --max-time=1"],
    ["$A=b", undefined, "$A=b"],
    ["redis-server --port=1", undefined, "redis-server --port=1"],
    ["./a=b", undefined, "./a=b"],
    ["-a=b", undefined, "-a=b"],
    ["a;b=c", undefined, "a;b=c"],
    ["'a'=b", undefined, "'a'=b"],
    ["(a=b)", undefined, "(a=b)"],
  ])("reads %j", (text, name, command) => {
    expect(parseCommand(text)).toEqual(name === undefined ? { command } : { name, command });
  });
});

describe("a name that cannot be one", () => {
  it.each([
    "",
    "a-",
    ".a",
    "a..",
    "ü",
    "a:b",
    "db@home",
    "a+",
    "10.0.0.1",
    "LocalHost",
    "my!db",
    "my*db",
    "a[0]",
    "~db",
    "#db",
  ])("%j is refused, and not run as an assignment", (name) => {
    expect(() => parseCommand(`${name}=server`)).toThrow(/cannot be a container's name/);
  });

  it("is one that another has, in whatever case", () => {
    const commands = [
      { name: "Web", command: "x" },
      { name: "web", command: "y" },
    ];
    expect(() => plan(commands)).toThrow(/two commands are named 'web'/);
    expect(namesOf("curl", "Curl")).toEqual(["curl", "curl-2"]);
  });
});

describe("planTopology", () => {
  it("gives the i-th command the i-th address of each subnet", () => {
    const { containers } = plan(["one", "two", "three"]);
    expect(containers.map(({ index, addresses }) => [index, ...addresses])).toEqual([
      [0, "10.0.0.1", "fd00:1::1"],
      [1, "10.0.0.2", "fd00:1::2"],
      [2, "10.0.0.3", "fd00:1::3"],
    ]);
  });

  it.each([
    ["redis-server --port 1", "redis-server"],
    ["/usr/sbin/nginx -g 'daemon off;'", "nginx"],
    ["PORT=80 HOST=x ./server.js", "server"],
    ["exec ./run.sh", "run"],
    ["Python3 x", "python3"],
    ["(cd x; y)", "cd"],
    ["$X", "x"],
    ["''", "command"],
    ["localhost", "command"],
    ["A=1", "command"],
    [`${"x".repeat(100)} y`, "x".repeat(40)],
  ])("names %j after its program", (command, name) => {
    expect(namesOf(command)).toEqual([name]);
  });

  it("makes names unique with a number", () => {
    expect(namesOf("curl a", "curl b", "/bin/curl c")).toEqual(["curl", "curl-2", "curl-3"]);
  });

  it("lets a given name go before one that is made up", () => {
    const { containers } = plan(["curl a", { name: "curl", command: "x" }]);
    expect(containers.map(({ name }) => name)).toEqual(["curl-2", "curl"]);
  });

  it.each([
    [[], /no command was given/],
    [[""], /the command is empty/],
    [[" \t"], /the command is empty/],
    [[{ name: "a", command: "" }], /the command of 'a' is empty/],
    [[{ name: "a-", command: "x" }], /'a-' cannot be a container's name/],
    [[{ name: "x".repeat(64), command: "x" }], /cannot be a container's name/],
    [[{ name: "localhost", command: "x" }], /'localhost' cannot be/],
    [["x", { name: "a", command: "x" }, { name: "a", command: "y" }], /two commands are named 'a'/],
  ])("refuses %j", (commands, says) => {
    expect(() => plan(commands)).toThrow(says);
    expect(() => plan(commands)).toThrow(UsageError);
  });

  it("refuses more commands than the subnet has addresses, and takes as many", () => {
    expect(plan(someCommands(2), "10.0.0.0/30").containers).toHaveLength(2);
    expect(() => plan(someCommands(3), "10.0.0.0/30")).toThrow(
      /3 commands do not fit into 10.0.0.0\/30/,
    );
    expect(plan(someCommands(254)).containers).toHaveLength(254);
    expect(() => plan(someCommands(255))).toThrow(/do not fit into 10\.0\.0\.0\/24/);
    expect(() => plan(someCommands(4001), "10.0.0.0/16")).toThrow(/at most 4000/);
  });
});

describe("hostsText", () => {
  it("names every container, of both families, before what the machine's file says", () => {
    const text = hostsText(
      plan(["one", { name: "Two.2", command: "x" }]),
      "127.0.0.1 localhost\n10.0.0.1 other\n",
    );
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines).toEqual([
      "10.0.0.1\tone",
      "fd00:1::1\tone",
      "10.0.0.2\tTwo.2 two.2",
      "fd00:1::2\tTwo.2 two.2",
      "127.0.0.1 localhost",
      "10.0.0.1 other",
    ]);
  });
});
