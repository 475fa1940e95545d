import { expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { containerOf, record } from "./recording.ts";

test("played packets wait for the live ones before them, by number", () => {
  const { index } = record(`
    0 packet client other
    1 packet other client
    2 packet client server           // both live
    3 packet other server
    4 packet server client
  `);
  const stage = new Stage(index, ["client", "server"]);
  stage.play(`
    .. client
    > client packet server
    .. client
    > client packet other
    < client packet other
    .. client
    < server packet other
    .. server
  `);
  stage.packet(containerOf("server"), containerOf("client"));
  stage.play(`
    = client
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("packets between live processes pass at once, but not before what settled by TCP that they come", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 packet client server
    3 packet client server
    4 1 client end
    5 packet server client
    6 1 server end
  `);
  const stage = new Stage(index, ["client", "server"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client
  `);
  const packet = () => stage.packet(containerOf("client"), containerOf("server"));
  // The server does not listen yet, so it could not know of datagrams.
  expect([packet(), packet()]).toEqual([[], []]);
  stage.play(`
    > client 1 end
    < server 1 connect
    .. server
    > server 1 accept
    < server packet client
    < server packet client
    < server 1 end
    .. server
    .. client
  `);
  expect(stage.packet(containerOf("server"), containerOf("client"))).toEqual(["client"]);
  stage.play(`
    > server 1 end
    < client 1 end
    = client
    = server
  `);
  expect(packet(), "more than recorded").toEqual(["server"]);
});

test("one packet between live processes that does not come is given up, and then no other is waited for", () => {
  const { index } = record(`
    0 packet client server
    1 packet client server
    2 packet client server
    3 1 connect client server:80
    4 1 accept
  `);
  const stage = new Stage(index, ["client", "server"]);
  stage.play(`
    > client packet server
    .. server until 2001
    @ 2001
    < server 1 connect
    > server 1 accept
    = server
  `);
  const gone = new Stage(index, ["client", "server"]);
  gone.play(`
    .. server
    > client gone
    < server 1 connect
  `);
});

test("packets to everyone: played to each live process, waited for", () => {
  const { index } = record(`
    0 packet other everyone
    1 packet client everyone
    2 packet other client
  `);
  const stage = new Stage(index, ["client", "server"]);
  stage.play(`
    < client packet other
    .. client
    > client packet everyone
    < client packet other
    = client
    < server packet other
    = server
  `);
  expect(stage.packet(containerOf("client"), -1)).toEqual(["server"]);
  const global = new Stage(index, ["client", "server"], { order: "global" });
  global.play(`
    < client packet other
    .. client
    > client packet everyone
    < client packet other
    = client
  `);
});

test("one that is held back for later is not given out in the place of one that passed", () => {
  const { index } = record(`
    0 packet client server
    1 1 connect client server:80
    2 1 accept
    3 packet client server
  `);
  const stage = new Stage(index, ["client", "server"]);
  const packet = () => stage.packet(containerOf("client"), containerOf("server"));
  expect([packet(), packet()]).toEqual([["server"], []]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server packet client
    = server
  `);
});
