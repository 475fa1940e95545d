import { describe, expect } from "vitest";
import { needs } from "./machine.ts";
import { expectOk, linesOf, test } from "./plg.ts";

const names = ["one", "two", "three"];
const cluster = names.map((name) => `${name}=http://${name}:2380`).join(",");

function member(name: string): string {
  const urls = [
    `--listen-client-urls=http://$PLG_ADDRESS:2379`,
    `--advertise-client-urls=http://${name}:2379`,
    `--listen-peer-urls=http://$PLG_ADDRESS:2380`,
    `--initial-advertise-peer-urls=http://${name}:2380`,
  ];
  return `${name}=exec etcd --name=${name} --data-dir=${name}.etcd --initial-cluster='${cluster}' ${urls.join(" ")}`;
}

describe("etcd", () => {
  needs("etcd", "etcdctl");

  test("three members form a cluster that keeps what it is told", async ({ plg }) => {
    const endpoints = names.map((name) => `http://${name}:2379`).join(",");
    const ctl = `etcdctl --endpoints=${endpoints} --dial-timeout=5s`;
    const client = [
      "export ETCDCTL_API=3",
      `until ${ctl} endpoint health 2>/dev/null; do sleep 0.2; done`,
      `${ctl} member list`,
      `etcdctl --endpoints=http://one:2379 put greeting hello`,
      `etcdctl --endpoints=http://three:2379 get greeting`,
    ].join("; ");
    const run = await plg.run([
      "record",
      "--until=client",
      ...names.map(member),
      `client=${client}`,
    ]);
    expectOk(run);
    const lines = linesOf(run, "client");
    const started = lines.filter((line) => /, started, /.test(line));
    expect(new Set(started.map((line) => line.split(", ")[2]))).toEqual(new Set(names));
    expect(lines.slice(-3)).toEqual(["OK", "greeting", "hello"]);
  });
});
