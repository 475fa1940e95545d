// Packets are counted flow by flow.
import { expect, test } from "vitest";
import { LiveFlows } from "../../../src/replay/schedule/live-flows.ts";
import { Stage } from "./playbook.ts";
import { containerOf, record, testFlow } from "./recording.ts";

test("a live flow is the recorded one with its ports, or else one with its server's port", () => {
  const recorded = [
    testFlow(1, 0, [4001, 53]),
    testFlow(1, 0, [4002, 53]),
    testFlow(1, 0, [4003, 67]),
    testFlow(0, 1, [53, 4001]),
  ];
  const flows = new LiveFlows(recorded);
  const numberOf = (...[sender, receiver, ports]: Parameters<typeof testFlow>): number =>
    flows.numberOf(testFlow(sender, receiver, ports));
  expect(numberOf(1, 0, [4002, 53])).toBe(1);
  expect(numberOf(1, 0, [9999, 53]), "another port of the client").toBe(0);
  expect(numberOf(1, 0, [9999, 53]), "the same one again").toBe(0);
  expect(numberOf(1, 0, [8888, 53]), "more than recorded").toBe(4);
  expect(numberOf(0, 1, [53, 9999]), "the answer").toBe(3);
  expect(numberOf(0, 2, [53, 9999]), "to somebody else").toBe(5);
});

test("a packet of one flow is not taken for one of another", () => {
  const { index } = record(`
    0 packet client:6500 other:6000
    1 packet other:6000 client:6500
    2 packet client:6501 other:6001
    3 packet other:6001 client:6501
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client packet other:6001 6501
    .. client
    > client packet other:6000 6500
    < client packet other
    < client packet other
    = client
  `);
});

const threads = record(`
  0 1 connect client server:7000
  1 1 accept
  2 2 connect client server:7000
  3 2 accept
  4 1 client "a"
  5 1 server "r"
  6 packet client:6500 server:6000
  7 packet server:6000 client:6500
  8 2 client "b"
`).index;

test("with order by connection, a packet waits until its receiver has done what it had done before", () => {
  const stage = new Stage(threads, ["client", "server"], { order: "connection" });
  const [client, server] = [containerOf("client"), containerOf("server")];
  stage.play(`
    > client 1 connect
    > client 2 connect
    < client 1 accept
    < client 2 accept
    > client 1 "a"
    < client 1 1 bytes
  `);
  expect(stage.packet(client, server, [6500, 6000]), "nobody listens yet").toEqual([]);
  stage.play(`
    < server 1 connect
    < server 2 connect
    > server 1 accept
    > server 2 accept
    < server 1 1 bytes
    < server 2 1 bytes
    .. server
    > server 1 "r"
    < server packet client
  `);
  stage.play(`.. client`);
  expect(stage.packet(server, client, [6000, 6500])).toEqual(["client"]);
  expect(stage.differences).toEqual([]);
});

test("a played packet waits as well", () => {
  const stage = new Stage(threads, ["server"], { order: "connection" });
  stage.play(`
    < server 1 connect
    < server 2 connect
    > server 1 accept
    > server 2 accept
    < server 1 1 bytes
    < server 2 1 bytes
    .. server
    > server 1 "r"
    < server packet client
  `);
});
