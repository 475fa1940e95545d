// A cluster does not do the same twice: it keeps time and draws lots. Its members come and go in
// their replay as they like, and it ends with a report all the same.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { linesOf, test } from "./plg.ts";
import { record, replay } from "./replays.ts";

const names = ["one", "two", "three"];
const cluster = names.map((name) => `${name}=http://${name}:2380`).join(",");

function member(name: string): string {
  const urls = [
    "--listen-client-urls=http://$PLG_ADDRESS:2379",
    `--advertise-client-urls=http://${name}:2379`,
    "--listen-peer-urls=http://$PLG_ADDRESS:2380",
    `--initial-advertise-peer-urls=http://${name}:2380`,
  ];
  return `${name}=exec etcd --name=${name} --data-dir=${name}.etcd --initial-cluster='${cluster}' ${urls.join(" ")}`;
}

describe("etcd, replayed", () => {
  needs("etcd", "etcdctl");

  test("one member against the others, and a client against the cluster", async ({
    plg,
    folder,
  }) => {
    const endpoints = names.map((name) => `http://${name}:2379`).join(",");
    const client = [
      "export ETCDCTL_API=3",
      `until etcdctl --endpoints=${endpoints} endpoint health 2>/dev/null; do sleep 0.1; done`,
      "etcdctl --endpoints=http://one:2379 put greeting hello",
      "etcdctl --endpoints=http://three:2379 get greeting",
    ].join("; ");
    const run = await record(
      plg,
      "--wait-listen=0s",
      "--until=client",
      ...names.map(member),
      `client=${client}`,
    );
    expect(linesOf(run, "client").slice(-3)).toEqual(["OK", "greeting", "hello"]);
    rmSync(join(folder, "two.etcd"), { recursive: true });
    const alone = await replay(plg, ["--only=two", "--patience=500ms"], { timeoutMs: 40_000 });
    expect(alone.run, alone.run.stderr.slice(-2000)).toMatchObject({ exitCode: 3, signal: null });
    expect(Object.keys(alone.report.byProcess)).toEqual(["two"]);
    expect(alone.run.durationMs).toBeLessThan(30_000);
    const asked = await replay(plg, ["--only=client"]);
    expect([0, 3]).toContain(asked.run.exitCode);
    expect(asked.lines("client").slice(-3)).toEqual(["OK", "greeting", "hello"]);
  });
});
