// Encrypted sessions, one side alone: no peer, no keys, no certificates from it, no masks.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs, needsRoot } from "./machine.ts";
import { actor, linesOf, test } from "./plg.ts";
import { expectSame, record } from "./replays.ts";
import { certificate, nginx, ssh } from "./servers.ts";

describe("nginx with TLS, and its clients one after another", () => {
  needs("nginx", "openssl", "curl", "wget", "python3");
  const clients = `curl -sS --cacert cert.pem --http1.1 https://server/a https://server/b https://server/c
curl -sS --cacert cert.pem --http1.1 --tls-max 1.2 https://server/a
wget -qO- --ca-certificate=cert.pem https://server/b
NODE_EXTRA_CA_CERTS=cert.pem node get.mjs
python3 get.py
`;

  test("repeat byte for byte, without nginx", async ({ plg, folder }) => {
    certificate(folder);
    const server = nginx(
      folder,
      { a: "apple\n", b: "banana\n", c: "cherry\n" },
      `listen 443 ssl; listen [::]:443 ssl; ssl_protocols TLSv1.2 TLSv1.3;
      ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`,
    );
    writeFileSync(join(folder, "clients.sh"), clients);
    writeFileSync(
      join(folder, "get.mjs"),
      "for (const name of 'abc')\n" +
        "  process.stdout.write(await (await fetch(`https://server/${name}`)).text());\n",
    );
    writeFileSync(
      join(folder, "get.py"),
      "import ssl, urllib.request\n" +
        "context = ssl.create_default_context(cafile='cert.pem')\n" +
        "print(urllib.request.urlopen('https://server/c', context=context).read().decode())\n",
    );
    const run = await record(plg, "--until=client", server, "client=sh clients.sh");
    const fruit = linesOf(run, "client").map((line) => line[0]);
    expect(fruit.join("")).toMatch(/^abcababcc/);
    // nginx alone differs now and then: see docs/determinism.md.
    await expectSame(plg, "--only=client");
  });
});

describe("redis and mosquitto with TLS", () => {
  needs("redis-server", "redis-cli", "mosquitto", "mosquitto_pub", "openssl");

  test("repeat byte for byte, each side alone", async ({ plg, folder }) => {
    certificate(folder);
    const files = `certfile ${folder}/cert.pem\nkeyfile ${folder}/key.pem\n`;
    writeFileSync(
      join(folder, "mosquitto.conf"),
      `listener 8883\n${files}allow_anonymous true\nuser root\n`,
    );
    const tls = "--tls-cert-file cert.pem --tls-key-file key.pem --tls-ca-cert-file cert.pem";
    const redis = `--port 0 --tls-port 6379 ${tls} --tls-auth-clients no --save '' --protected-mode no`;
    const cli = "redis-cli -h redis --tls --cacert cert.pem";
    const pub = "mosquitto_pub -h broker -p 8883 --cafile cert.pem -i pub -t news -q 1 -m hello";
    const run = await record(
      plg,
      "--until=client",
      `redis=exec redis-server ${redis}`,
      "broker=exec mosquitto -c mosquitto.conf",
      `client=${cli} set a 1 && ${cli} get a && ${pub}`,
    );
    expect(linesOf(run, "client")).toEqual(["OK", "1"]);
    for (const name of ["client", "redis", "broker"]) await expectSame(plg, `--only=${name}`);
  });
});

describe("ssh and scp", () => {
  // sshd insists that /run/sshd is root's; in a user namespace the machine's root is nobody.
  needsRoot("sshd", "ssh", "scp", "ssh-keygen");

  test("repeat byte for byte, either side alone", async ({ plg, folder }) => {
    const { server, options } = ssh(folder);
    writeFileSync(join(folder, "original"), "0123456789".repeat(1000));
    const shell = `ssh ${options.replace("-P", "-p")} root@server`;
    // The last command removes what scp makes, because sshd would otherwise find it in the replay.
    const commands = [
      `${shell} echo hello`,
      `scp ${options} original root@server:'${folder}/copy'`,
      `${shell} "cksum <'${folder}/copy' && rm '${folder}/copy'"`,
    ];
    const run = await record(plg, "--until=client", server, `client=${commands.join(" && ")}`);
    expect(linesOf(run, "client")).toEqual(["hello", expect.stringMatching(/ 10000$/)]);
    await expectSame(plg, "--only=client");
    await expectSame(plg, "--only=server");
  });
});

describe("WebSockets, whose clients draw a key for each session and a mask for each message", () => {
  needs();

  test("repeat byte for byte, either side alone", async ({ plg }) => {
    const program = actor("websocket.mjs");
    await record(
      plg,
      "--until=client",
      `server=${program} server`,
      `client=${program} client server`,
    );
    await expectSame(plg, "--only=client");
    await expectSame(plg, "--only=server");
  });
});
