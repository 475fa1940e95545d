// Differences with a familiar shape are named, and the mask that comes with the name covers them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { actor, test } from "./plg.ts";
import { expectDiffers, expectSame, record } from "./replays.ts";

const talk = actor("talk.mjs");
const server = `server=${talk} listen=80 read=1 read-end end`;

/** A client that says this. */
function client(said: string): string {
  return `client=${talk} connect=10.0.0.1:80 'send=${said}' end read-end`;
}

describe("a familiar shape", () => {
  test.for([
    {
      name: "an HTTP date",
      recorded: "Date: Sun, 22 Nov 2026 17:55:40 GMT, and so on",
      live: "Date: Mon, 23 Nov 2026 08:05:09 GMT, and so on",
      mask: "client:80/Date: [^\\r\\n]*/",
    },
    {
      name: "a UUID (RFC 9562)",
      recorded: "id 0b0d9a1e-7c1f-4c55-9d0e-0a1b2c3d4e5f, and so on",
      live: "id 9f1c2b3a-0000-4a11-8bcd-ffffffffffff, and so on",
      mask: "client:80/[\\da-fA-F]{8}(-[\\da-fA-F]{4}){3}-[\\da-fA-F]{12}/",
    },
  ])("$name is named in every report, and can be masked", async (lane, { plg, folder }) => {
    const { name, recorded, live, mask } = lane;
    await record(plg, server, client(recorded));
    const other = ["--only=client", client(live)];
    const replayed = await expectDiffers(plg, "client", ...other);
    expect(replayed.report.differences[0]?.shape).toEqual({ name, mask });
    const shown = await plg.run(["replay", "--junit=report.xml", ...other]);
    const advice = `looks like ${name}: mask it with --ignore '${mask}'`;
    expect(shown.stdout).toContain(`  ${advice}\n`);
    expect(readFileSync(join(folder, "report.xml"), "utf8")).toContain(advice);
    await expectSame(plg, `--ignore=${mask}`, ...other);
  });
});
