import { checkIdentity, primaryGroupOf } from "../../../src/api/identity.ts";
import { parseSubnets } from "../../../src/cli/options/subnet-options.ts";
import { untilOf } from "../../../src/api/settings.ts";
import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/base/errors.ts";
import { ExitCode, exitCodeOf } from "../../../src/cli/errors/exit-code.ts";
import {
  parseDuration,
  parseSize,
  parsePositive,
  parseSignal,
} from "../../../src/cli/options/values.ts";

/** What `read` says against a value, which must be wrong usage. */
function complaint(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    expect(exitCodeOf(error as UsageError)).toBe(ExitCode.usage);
    expect((error as UsageError).message).not.toContain("\n");
    return (error as UsageError).message;
  }
  return "nothing";
}

const subnetsOf = (subnet: string, more: { subnet6?: string; ipv6?: boolean } = {}): string[] =>
  parseSubnets({ subnet, ipv6: true, ...more }).map(String);

describe("parseSize", () => {
  it.each([
    ["4096", 4096],
    ["64k", 65_536],
    ["64K", 65_536],
    ["1M", 1_048_576],
    ["1g", 1_073_741_824],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseSize(text, "--buffer", 4096, 1 << 30)).toBe(bytes);
  });

  it.each(["", "k", "1.5M", "-1", "64 k", "64kB", "0x10"])("refuses '%s'", (text) => {
    expect(complaint(() => parseSize(text, "--buffer", 1, 100))).toContain("is not a size");
  });

  it.each(["0", "4095", "2g", "99999999999999999999"])("%s is out of range", (text) => {
    expect(complaint(() => parseSize(text, "--buffer", 4096, 1 << 30))).toContain("out of range");
  });
});

describe("parseDuration", () => {
  it.each([
    ["500ms", 500],
    ["2s", 2000],
    ["2", 2000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["0", 0],
    ["0.25s", 250],
    ["24h", 86_400_000],
  ])("reads %s", (text, milliseconds) => {
    expect(parseDuration(text, "--grace")).toBe(milliseconds);
  });

  it.each(["", "s", "-1s", "1 s", "1e3", "1,5s", "1d", "0x10", "Infinity", "1s1s"])(
    "refuses %j",
    (text) => {
      expect(complaint(() => parseDuration(text, "--grace"))).toContain(`--grace '${text}'`);
    },
  );

  it("refuses more than a day", () => {
    expect(complaint(() => parseDuration("24.1h", "--grace"))).toContain("out of range");
    expect(complaint(() => parseDuration("9".repeat(400), "--grace"))).toContain("out of range");
  });
});

describe("parsePositive", () => {
  it.each([
    ["1", 1],
    ["0.5", 0.5],
    ["1000", 1000],
  ])("reads %s", (text, value) => {
    expect(parsePositive(text, "--speed", 1000)).toBe(value);
  });

  it.each(["0", "-1", "1001", "", "x", "1e2", "NaN"])("refuses %j", (text) => {
    expect(complaint(() => parsePositive(text, "--speed", 1000))).toContain("out of range");
  });
});

describe("parseSignal", () => {
  it.each([
    ["TERM", "SIGTERM"],
    ["SIGTERM", "SIGTERM"],
    ["term", "SIGTERM"],
    ["15", "SIGTERM"],
    ["9", "SIGKILL"],
    ["Int", "SIGINT"],
  ])("reads %s", (text, signal) => {
    expect(parseSignal(text)).toBe(signal);
  });

  it.each(["", "0", "99", "-9", "NOSUCH", "SIG"])("refuses %j", (text) => {
    expect(complaint(() => parseSignal(text))).toContain(`there is no signal '${text}'`);
  });
});

describe("untilOf", () => {
  const names = ["server", "client", "all"];

  it("reads the words, and names", () => {
    expect(untilOf("first", names)).toBe("first");
    expect(untilOf("client", names)).toEqual({ name: "client" });
    expect(untilOf("all", ["server"])).toBe("all");
  });

  it("takes a word for a name where a command has it", () => {
    expect(untilOf("all", names)).toEqual({ name: "all" });
  });

  it("refuses what is neither, and lists the names", () => {
    expect(complaint(() => untilOf("last", names))).toContain("(server, client, all)");
  });
});

describe("identities", () => {
  it("takes those that exist, and any number", () => {
    expect(checkIdentity(undefined, "user")).toBeUndefined();
    expect(checkIdentity("root", "user")).toBe("root");
    expect(checkIdentity("root", "group")).toBe("root");
    expect(checkIdentity("4711", "user")).toBe("4711");
    expect(checkIdentity("0", "user")).toBe("root");
  });

  it.each(["no-such-one", "", "-1", "root;id", "--help", "99999999999"])("refuses %j", (text) => {
    expect(complaint(() => checkIdentity(text, "user"))).toContain(`no user '${text}'`);
    expect(complaint(() => checkIdentity(text, "group"))).toContain(`no group '${text}'`);
  });

  it("knows a user's own group, and takes an unknown number for the group's", () => {
    expect(primaryGroupOf("root")).toBe("0");
    expect(primaryGroupOf("0")).toBe("0");
    expect(primaryGroupOf("47110815")).toBe("47110815");
  });
});

describe("parseSubnets", () => {
  it("goes with one subnet where IPv6 is not wanted", () => {
    expect(subnetsOf("10.0.0.0/24", { ipv6: false })).toEqual(["10.0.0.0/24"]);
  });

  it("takes an IPv6 subnet alone", () => {
    expect(subnetsOf("fd00:1::/64")).toEqual(["fd00:1::/64"]);
  });

  it.each([
    ["fd00:1::/64", { subnet6: "fd00:2::/64" }, "leave out --subnet6"],
    ["10.0.0.0/24", { subnet6: "fd00:2::/64", ipv6: false }, "exclude each other"],
  ])("refuses %s with %j", (subnet, more, says) => {
    expect(complaint(() => subnetsOf(subnet, more))).toContain(says);
  });
});
