/**
 * What this machine must have for a test. Where CI=true a lack fails the test, because there
 * everything must run; elsewhere the test is skipped, with the reason, which the closing lines
 * repeat.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { beforeEach } from "vitest";
import { placeOf } from "./program-path.ts";

/**
 * The tests of this file or group need these programs, or devices by their paths, and what plg
 * itself needs.
 */
export function needs(...programs: readonly string[]): void {
  require(lacksOf(programs));
}

/** The tests need root besides: they mount, change users or limits, or make devices. */
export function needsRoot(...programs: readonly string[]): void {
  require([...(isRoot ? [] : ["root is needed"]), ...lacksOf(programs)]);
}

/** A test run as an ordinary user: what is root in it is so in a user namespace alone. */
const isAsUser = process.env["PLG_TEST_AS_USER"] === "1";
const isRoot = process.geteuid?.() === 0 && !isAsUser;

function lacksOf(programs: readonly string[]): string[] {
  const lacks = programs.filter((one) => !isThere(one)).map((one) => `${one} is missing`);
  if (!existsSync("/dev/net/tun")) lacks.push("/dev/net/tun is missing");
  for (const device of ["/dev/net/tun", ...programs.filter((name) => name === "/dev/fuse")])
    if (!isRoot && existsSync(device) && !canWrite(device))
      lacks.push(`only root may open ${device}`);
  return lacks;
}

function require(lacks: readonly string[]): void {
  const reason = lacks.join("; ");
  beforeEach(({ skip }) => {
    if (reason === "") return;
    // A test run as an ordinary user says which tests are root's.
    const isMeant = isAsUser && reason === "root is needed";
    if (process.env["CI"] === "true" && !isMeant)
      throw new Error(`on CI all tests must run, but ${reason}`);
    skip(reason);
  });
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isThere(name: string): boolean {
  if (name.startsWith("/")) return existsSync(name);
  return placeOf(name) !== undefined;
}
