// The page that `plg view` writes, in a browser.
import { readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { actor, expectOk, type Plg, test } from "./plg.ts";
import { placeOf } from "./program-path.ts";
import { record } from "./replays.ts";
import { nginx } from "./servers.ts";

const talk = actor("talk.mjs");
/** What would run, or end the element that holds it, if it were taken for HTML. */
const hostile = "</script><img src=x onerror=document.title=1>";

let browser: Browser | undefined;

beforeAll(async () => {
  const executablePath = placeOf("chromium");
  if (executablePath === undefined) return; // `needs` tells.
  // As root there is no sandbox; and what a browser does in the background has no place in a test.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];
  browser = await chromium.launch({ executablePath, args });
});

afterAll(async () => await browser?.close());

/** Opens a page, and fails if it has an error or asks the network for anything. */
async function open(file: string): Promise<Page> {
  if (!browser) throw new Error("there is no browser");
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => expect.soft(error).toBeUndefined());
  page.on("console", (message) => expect.soft(message.text()).toBe(""));
  page.on("request", (request) => expect.soft(request.url()).toMatch(/^(file|blob):/));
  await page.goto(`file://${file}`);
  return page;
}

const rows = ".sequence-row[data-event]";

/** Records a conversation in which somebody says something hostile, and opens its page. */
async function openTalk(plg: Plg, folder: string): Promise<Page> {
  expectOk(
    await plg.run([
      "record",
      "--wait-listen=10s",
      `server=${talk} listen=7000 read=5 send=welcome read-end end`,
      `client=${talk} connect=10.0.0.1:7000 send=hello read=7 'send=${hostile}' end read-end`,
    ]),
  );
  writeFileSync(join(folder, "dump.traffic.keys"), "a secret");
  const written = await plg.run(["view"]);
  expectOk(written);
  expect(written.stdout).toBe("dump.traffic.html\n");
  const file = join(folder, "dump.traffic.html");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const page = await open(file);
  await page.waitForSelector(rows);
  return page;
}

describe("the page of a small dump", () => {
  needs("chromium");

  test("shows what happened, and what was said", async ({ plg, folder }) => {
    const page = await openTalk(plg, folder);
    expect(await page.title()).toBe("dump.traffic \u2013 plg");
    await page.getByText(/^the TLS keys of this run are in dump\.traffic\.keys/).waitFor();
    for (const text of ["#1 5 B hello", "#1 7 B welcome", `#1 ${hostile.length} B ${hostile}`])
      await page.locator(`${rows} .what`).getByText(text, { exact: true }).waitFor();

    await page.locator(rows, { hasText: "welcome" }).click();
    const said = page.locator(".part pre");
    await said.nth(2).waitFor();
    expect(await said.allInnerTexts()).toEqual(["hello", "welcome", hostile]);
    await page.getByRole("button", { name: "as hexadecimal" }).click();
    await page.getByText("77 65 6c 63 6f 6d 65").waitFor();
    await page.close();
  });

  test("shows what passes the filter, and the connections", async ({ plg, folder }) => {
    const page = await openTalk(plg, folder);
    const filter = page.getByLabel("filter");
    await filter.fill("#1 data");
    await page.getByText(/^3 of \d+ events$/).waitFor();
    await page.locator(rows).nth(3).waitFor({ state: "detached" });
    await filter.fill("nobody");
    await page.getByText("'nobody' is no container").waitFor();
    await filter.fill("");

    await page.getByRole("button", { name: "connections" }).click();
    const table = page.locator(".connection-row[data-connection]");
    await table.first().waitFor();
    expect(await table.count()).toBe(1);
    expect(await table.innerText()).toMatch(/^1\s+client:\d+\s+server:7000\s[^]*closed/);
    await page.close();
  });

  test("gets to any of very many events", async ({ plg, folder }) => {
    const answers = 2000;
    const chatter = `node -e "const s = net.connect(7000, '10.0.0.1'); let n = 0;
      s.on('data', () => n < ${answers} ? s.write('question ' + n++) : s.end()).write('start');"`;
    const echo = `node -e "net.createServer((s) => s.pipe(s)).listen(7000)"`;
    const commands = [`server=${echo}`, `client=${chatter}`];
    expectOk(await plg.run(["record", "--wait-listen=10s", "--until=client", ...commands]));
    expectOk(await plg.run(["view"]));
    const page = await open(join(folder, "dump.traffic.html"));
    await page.waitForSelector(rows);
    const list = page.locator(".list").first();
    await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page
      .locator(rows, { hasText: `question ${answers - 1}` })
      .first()
      .waitFor();
    expect(await page.locator(rows).count()).toBeLessThan(100);
    // By the keyboard, from the first.
    await list.press("ArrowDown");
    await list.press("ArrowDown");
    await page.locator('.chosen[data-event="1"]').first().waitFor();
    await page.close();
  });
});

describe("the page of programs that speak a known protocol", () => {
  needs("chromium", "nginx", "curl");

  test("says what their messages are, and finds them", async ({ plg, folder }) => {
    const client = "client=curl -4 -sS http://server/page http://server/none -o a -o b";
    await record(plg, "--until=client", nginx(folder, { page: "hello" }), client);
    expectOk(await plg.run(["view"]));
    const page = await open(join(folder, "dump.traffic.html"));
    for (const text of ["GET /page", "200", "GET /none", "404"])
      await page.locator(`${rows} .caption`).getByText(text, { exact: true }).waitFor();
    await page.getByLabel("filter").fill("/^GET/ client");
    await page.getByText(/^2 of \d+ events$/).waitFor();
    await page.locator(rows, { hasText: "GET /none" }).click();
    await page.locator(".part h3", { hasText: "GET /none" }).waitFor();
    await page.close();
  });
});

describe("the page of a replay", () => {
  needs("chromium");

  test("shows where it differed", async ({ plg, folder }) => {
    const said = (text: string): string =>
      `client=${talk} connect=10.0.0.1:7000 send=${text} end read-end`;
    const server = `server=${talk} listen=7000 read-end send=yes end`;
    expectOk(await plg.run(["record", "--wait-listen=10s", server, said("hello")]));
    const run = await plg.run(["replay", "--only=client", "--page=it.html", said("hullo")]);
    expect(run.exitCode).toBe(3);
    const page = await open(join(folder, "it.html"));
    await page.getByText("sent other bytes to server from byte 1 on").click();
    await page.locator(".part.chosen pre", { hasText: "hello" }).waitFor();
    await page.getByRole("button", { name: "sequence" }).click();
    await page.locator(`${rows}.differs.chosen`, { hasText: "hello" }).waitFor();
    await page.close();

    const same = ["replay", "--only=client", "--page=same.html", said("hello")];
    expectOk(await plg.run(same));
    const samePage = await open(join(folder, "same.html"));
    await samePage.getByRole("button", { name: "0 differences" }).waitFor();
    await samePage.waitForSelector(rows);
    await samePage.close();
  });

  test("that cannot be written is refused before anything runs", async ({ plg }) => {
    expectOk(await plg.run(["record", "one=true"]));
    const run = await plg.run(["replay", "--page=no/such/page.html"]);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/^plg: cannot write --page no\/such\/page\.html: [^\n]+\n$/);
  });
});

describe("the page of a large dump", () => {
  needs("chromium");

  test("carries none, and reads the one that is chosen", async ({ plg, folder }) => {
    expectOk(
      await plg.run([
        "record",
        "--wait-listen=10s",
        `server=${talk} listen=7000 count-end`,
        `client=${talk} connect=10.0.0.1:7000 sendbytes=70000000 end`,
      ]),
    );
    const written = await plg.run(["view", "-o", "page.html"]);
    expectOk(written);
    expect(written.stderr).toMatch(/^plg: a page of [^\n]*, and choose dump\.traffic there\n$/);
    expect(statSync(join(folder, "page.html")).size).toBeLessThan(1e6);
    const page = await open(join(folder, "page.html"));
    await page.getByText("Choose dump.traffic, or drop it here").waitFor();
    await page.locator("input[type=file]").setInputFiles(join(folder, "dump.traffic"));
    await page.waitForSelector(rows);
    expect(await page.locator(".about").innerText()).toContain("1 connection, 70.0 MB");

    renameSync(join(folder, "dump.traffic"), join(folder, "elsewhere"));
    await page.locator(".list").first().press("ArrowDown");
    await page.getByText("The dump cannot be read any more").waitFor();

    writeFileSync(join(folder, "text"), "no dump at all");
    await page.reload();
    await page.locator("input[type=file]").setInputFiles(join(folder, "text"));
    await page.getByText("text is not a plg dump").waitFor();
    await page.close();
  });
});

describe("the dump", () => {
  needs();

  test("is not what is written over", async ({ plg, folder }) => {
    expectOk(await plg.run(["record", "true"]));
    const before = readFileSync(join(folder, "dump.traffic"));
    symlinkSync("dump.traffic", join(folder, "link"));
    for (const [args, option] of [
      [["view", "-o", "dump.traffic"], "-o dump.traffic"],
      [["view", "-o", "./link"], "-o ./link"],
      [["replay", "--page=dump.traffic"], "--page dump.traffic"],
      [["replay", "--junit=link"], "--junit link"],
    ] as const) {
      const run = await plg.run(args);
      expect(run).toMatchObject({ exitCode: 2, stdout: "" });
      expect(run.stderr).toBe(`plg: ${option} is the dump itself: name another file\n`);
    }
    expect(readFileSync(join(folder, "dump.traffic"))).toEqual(before);
  });
});

describe("without a page", () => {
  needs();

  test("what is wrong is said in a line", async ({ plg, folder }) => {
    writeFileSync(join(folder, "text"), "no dump at all");
    const cases = [
      { args: ["view"], exitCode: 2, says: /name the dump, as in: plg view PATH/ },
      { args: ["view", "text"], exitCode: 5, says: /text is not a plg dump/ },
      { args: ["view", "nowhere"], exitCode: 5, says: /cannot read the dump nowhere/ },
      { args: ["view", "a", "-f", "b"], exitCode: 2, says: /view takes one/ },
    ];
    for (const { args, exitCode, says } of cases) {
      const run = await plg.run(args);
      expect(run).toMatchObject({ exitCode, stdout: "" });
      expect(run.stderr).toMatch(/^plg: [^\n]+\n$/);
      expect(run.stderr).toMatch(says);
    }
    expectOk(await plg.run(["record", "true"]));
    const run = await plg.run(["view", "-o", "no/such/folder.html"]);
    expect(run).toMatchObject({ exitCode: 2, stdout: "" });
    expect(run.stderr).toMatch(/^plg: cannot write -o no\/such\/folder\.html: [^\n]+\n$/);
    const pipe = await plg.run(["view", "/dev/stdin"], {
      through: ["/bin/sh", "-c", `cat dump.traffic | "$@"`, "sh"],
    });
    expect(pipe).toMatchObject({ exitCode: 2, stdout: "" });
    expect(pipe.stderr).toMatch(/^plg: [^\n]+ no ordinary file[^\n]+\n$/);
  });
});
