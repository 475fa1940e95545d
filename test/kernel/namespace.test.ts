import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, realpathSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mount } from "../../src/sys/libc.ts";
import { MS_PRIVATE, MS_REC } from "../../src/sys/abi.ts";
import {
  closeNamespace,
  currentNamespace,
  inNamespaces,
  inNewNamespaces,
} from "../../src/sys/namespace.ts";
import { setLinkUp } from "../../src/sys/interfaces.ts";
import { needs, needsRoot } from "../programs/machine.ts";

const files = { net: "net", mnt: "mnt", pid: "pid_for_children" } as const;

/** Which namespace the thread is in, as the kernel names it. */
const here = (kind: keyof typeof files): string =>
  readlinkSync(`/proc/thread-self/ns/${files[kind]}`);

const outputOf = (file: string, ...args: string[]): string =>
  spawnSync(file, args).stdout.toString().trim();
const ownPid = (): string => outputOf("/bin/sh", "-c", "echo $$");
const networkOfChild = (): string => outputOf("readlink", "/proc/self/ns/net");

function fail(): void {
  throw new Error("from inside");
}

describe("a scope in new namespaces", () => {
  needs();

  test.for(["net", "mnt"] as const)("%s: is another one inside, and left again", (kind) => {
    const before = here(kind);
    const inside = inNewNamespaces([kind], () => here(kind));
    expect(inside).not.toBe(before);
    expect(here(kind)).toBe(before);
  });

  test("is left when its body throws", () => {
    const before = (["net", "mnt"] as const).map(here);
    expect(() => inNewNamespaces(["net", "mnt"], fail)).toThrow("from inside");
    expect((["net", "mnt"] as const).map(here)).toEqual(before);
  });

  test("gives back the working directory, which a mount namespace takes away", () => {
    const home = process.cwd();
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "plg-cwd-")));
    try {
      process.chdir(folder);
      inNewNamespaces(["mnt"], () => {});
      expect(process.cwd()).toBe(folder);
      const kept = inNewNamespaces(["mnt"], () => currentNamespace("mnt"));
      inNamespaces([kept], () => {});
      closeNamespace(kept);
      expect(process.cwd()).toBe(folder);
    } finally {
      process.chdir(home);
      rmdirSync(folder);
    }
  });

  test("keeps mounts to itself", () => {
    inNewNamespaces(["mnt"], () => {
      expect(mount("none", "/", "none", MS_REC | MS_PRIVATE, 0)).toBe(0);
      expect(mount("plg-test", "/mnt", "tmpfs", 0, 0)).toBe(0);
      expect(readFileSync("/proc/thread-self/mounts", "utf8")).toContain("plg-test /mnt");
    });
    expect(readFileSync("/proc/thread-self/mounts", "utf8")).not.toContain("plg-test");
  });
});

describe("a new PID namespace", () => {
  // Who is root in a user namespace may not go back to the machine's (pidns_install in
  // kernel/pid_namespace.c).
  needsRoot();

  test("a child is the first process there, and later ones are not", () => {
    expect(inNewNamespaces(["pid"], ownPid)).toBe("1");
    expect(Number(ownPid())).toBeGreaterThan(1);
  });

  test("is left when its body throws", () => {
    const before = here("pid");
    expect(() => inNewNamespaces(["pid"], fail)).toThrow("from inside");
    expect(here("pid")).toBe(before);
  });
});

describe("a namespace that is kept", () => {
  needs();

  test("can be entered again, and children started there are in it", () => {
    const kept = inNewNamespaces(["net"], () => {
      setLinkUp("lo");
      return { namespace: currentNamespace("net"), link: here("net") };
    });
    try {
      expect(inNamespaces([kept.namespace], () => here("net"))).toBe(kept.link);
      expect(inNamespaces([kept.namespace], networkOfChild)).toBe(kept.link);
      expect(networkOfChild()).toBe(here("net"));
    } finally {
      closeNamespace(kept.namespace);
    }
  });

  test("what is not a namespace of that kind is refused by name", () => {
    const net = currentNamespace("net");
    try {
      expect(() => inNamespaces([{ ...net, kind: "mnt" }], () => {})).toThrow(
        "setns of a mount namespace failed: EINVAL",
      );
    } finally {
      closeNamespace(net);
    }
  });
});
