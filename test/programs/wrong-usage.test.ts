// Every wrong call gives one clear line and the exit code of the contract, and leaves nothing
// behind.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { test } from "./plg.ts";

const twoCommands = ["sleep 5", "sleep 5"];

const cases: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [["record"], /no command was given; pass at least one/],
  [["--record"], /no command was given; pass at least one/],
  [["record", ""], /command is empty/],
  [["record", "-s", "10.0.0.0", "true"], /no prefix length/],
  [["record", "-s", "10.0.0.0/33", "true"], /prefix length/],
  [["record", "-s", "10.0.0.5/24", "true"], /host bits set: did you mean 10\.0\.0\.0\/24/],
  [["record", "-s", "127.0.0.0/8", "true"], /loopback/],
  [["record", "-s", "elsewhere", "true"], /is not a subnet/],
  [["record", "-s", "10.0.0.0/24", "--subnet6=10.1.0.0/24", "true"], /not an IPv6 subnet/],
  [["record", "--no-ipv6", "--subnet6=fd00::/64", "true"], /exclude each other/],
  [
    ["record", "-s", "10.0.0.0/30", "true", "true", "true"],
    /3 commands do not fit into 10\.0\.0\.0\/30/,
  ],
  [["--record", "-s", "10.0.0.0/30", "true", "true", "true"], /3 commands do not fit/],
  [
    ["record", "-f", "missing/folder/dump", ...twoCommands],
    /cannot write the dump missing\/folder\/dump/,
  ],
  [["record", "-f", "a-folder", ...twoCommands], /it is a directory/],
  [["record", "-f", "", ...twoCommands], /cannot write the dump/],
  [["record", "--no-such-option", "true"], /unknown option '--no-such-option'/],
  [["--no-such-option"], /unknown option '--no-such-option'/],
  [["no-such-subcommand"], /unknown command 'no-such-subcommand'/],
  [["rekord"], /unknown command 'rekord' \(Did you mean record\?\)/],
  [["constructor"], /unknown command 'constructor'/],
  [["--record", "--replay", "true"], /--record and --replay exclude each other/],
  [["record", "--quiet", "--raw", "true"], /--quiet and --raw exclude each other/],
  [["record", "--grace=soon", "true"], /--grace 'soon' is not a duration/],
  [["record", "--grace=-1s", "true"], /--grace '-1s' is not a duration/],
  [["record", "--grace=25h", "true"], /--grace '25h' is out of range/],
  [["record", "--wait-listen=1e9", "true"], /--wait-listen '1e9' is not a duration/],
  [["record", "--buffer=big", "true"], /--buffer 'big' is not a size: write it like 65536, 64k/],
  [["record", "--buffer=1k", "true"], /--buffer '1k' is out of range: from 4096 to/],
  [["record", "--kill=NOSUCH", "true"], /there is no signal 'NOSUCH'/],
  [["record", "--kill=99", "true"], /there is no signal '99'/],
  [["record", "--until=nobody", "one=true"], /--until 'nobody' is neither .*\(one\)/],
  [["record", "--uid=no-such-user", "true"], /there is no user 'no-such-user'/],
  [["record", "--gid=no-such-group", "true"], /there is no group 'no-such-group'/],
  [["record", "--uid=99999999999", "true"], /99999999999/],
  [["record", "a=true", "a=true"], /two commands are named 'a'/],
  [["record", "localhost=true"], /'localhost' cannot be a container's name/],
  [
    ["record", "--link=a<->b", "a=true", "b=true"],
    /--link 'a<->b': write it like 'client<->server: /,
  ],
  [
    ["record", "--link=a<->c: delay 1ms", "a=true", "b=true"],
    /no container 'c' \(there are a, b\)/,
  ],
  [["record", "--link=a<->b: delay 40", "a=true", "b=true"], /'delay 40' has no proper value/],
  [["record", "--seed=x", "a=true"], /--seed 'x' is not a whole/],
  [["record", "--link=*->a: loss 1%", "--seed=x", "a=true", "b=true"], /--seed 'x' is not a whole/],
  [["record", "-s"], /argument missing/],
];

describe("wrong usage", () => {
  needs();

  test.for(cases)("plg %j", async ([args, says], { plg, folder }) => {
    mkdirSync(join(folder, "a-folder"));
    const run = await plg.run(args, { timeoutMs: 20_000 });
    expect(run.stderr).toMatch(says);
    expect(run.stderr, "one line").toMatch(/^plg: [^\n]+\n$/);
    expect(run.stdout).toBe("");
    expect(run.exitCode).toBe(2);
  });
});
