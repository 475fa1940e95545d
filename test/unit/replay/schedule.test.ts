import { expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const request = record(`
  0  1 connect client server:80
  10 1 accept
  20 1 client "GET /"
  30 1 server "200 OK"
  40 1 client end
  50 1 server end
`).index;

test("a client alone: each answer comes when the question has", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    .. client
    > client 1 connect
    < client 1 accept
    .. client
    > client 1 "GE"
    .. client                      // bytes are counted, the borders of pieces do not matter
    > client 1 "T /"
    < client 1 6 bytes
    .. client
    > client 1 end
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
  expect(stage.schedule("client").played).toBe(6);
});

test("a server alone: the recorded client connects, asks, and ends when it had been answered", () => {
  const stage = new Stage(request, ["server"]);
  stage.play(`
    < server 1 connect
    .. server
    > server 1 accept
    < server 1 5 bytes
    .. server
    > server 1 "200 OK"
    < server 1 end
    .. server
    > server 1 end
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("what is ahead of the recording is no difference, and is not asked for again", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    > client 1 "GET /"
    > client 1 end
    < client 1 accept
    < client 1 6 bytes
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("a delivery that takes its time holds what is behind it", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    << client 1 accept
    > client 1 "GET /"
    .. client
    taken client
    < client 1 6 bytes
    .. client
  `);
});

const refusal = record(`
  0 1 connect client server:80
  1 1 refuse
  5 2 connect client server:80
  6 2 accept
  7 2 server "hi"
  8 2 server reset
`).index;

test("refusals and resets are delivered like anything else", () => {
  const stage = new Stage(refusal, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 refuse
    .. client
    > client 2 connect
    < client 2 accept
    < client 2 2 bytes
    < client 2 reset
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("where a server's processes are gone, its kernel refuses, and nothing is waited for", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 refuse
    9 exit server
  `);
  const stage = new Stage(index, ["server"]);
  stage.play(`
    > server gone
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("the order of a process goes across its connections", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    0 2 connect client server:81
    0 2 accept
    1 1 client "a"
    2 2 server "b"
    3 2 client "c"
    4 1 server "d"
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 2 accept
    > client 2 "c"
    .. client
    > client 1 "a"
    < client 2 1 bytes
    < client 1 1 bytes
    = client
  `);
  const apart = new Stage(index, ["client"], { order: "connection" });
  apart.play(`
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 2 accept
    < client 2 1 bytes
    > client 2 "c"
    .. client
    > client 1 "a"
    < client 1 1 bytes
    = client
  `);
  expect([...stage.differences, ...apart.differences]).toEqual([]);
});

test("everybody live: each stands alone against the recording", () => {
  const stage = new Stage(request, ["client", "server"]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 5 bytes
    > server 1 "200 OK"
    .. client
    > client 1 connect
    < client 1 accept
    > client 1 "GET /"
    < client 1 6 bytes
    > client 1 end
    < client 1 end
    = client
    < server 1 end
    > server 1 end
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("the global order waits for the others as well", () => {
  const stage = new Stage(request, ["client", "server"], { order: "global" });
  stage.play(`
    .. server
    > client 1 connect
    < server 1 connect
    .. client
    > server 1 accept
    < client 1 accept
    .. client
    > client 1 "GET /"
    < server 1 5 bytes
    > client 1 end
    .. server
    > server 1 "200 OK"
    < client 1 6 bytes
    < server 1 end
    > server 1 end
    < client 1 end
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("with a speed, recorded gaps are kept since the process's last event happened", () => {
  const release = { type: "speed", factor: 2 } as const;
  const stage = new Stage(request, ["client"], { release });
  stage.play(`
    @ 1000
    .. client
    @ 1100
    > client 1 connect
    .. client until 1105
    @ 1105
    < client 1 accept
    .. client
    @ 1500
    > client 1 "GET /"
    .. client until 1505
    @ 1505
    < client 1 6 bytes
    > client 1 end
    .. client until 1510
    @ 1512
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("with a speed, small delays do not add up", () => {
  const { index } = record(`
    0  1 connect client server:80
    0  1 accept
    10 1 server "a"
    20 1 server "b"
    30 1 server "c"
  `);
  const stage = new Stage(index, ["client"], { release: { type: "speed", factor: 1 } });
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client until 10
    @ 13
    < client 1 1 bytes
    .. client until 20
    @ 24
    < client 1 1 bytes
    .. client until 30
  `);
});

test("apart, with a speed, each connection keeps its own gaps since it was made", () => {
  const release = { type: "speed", factor: 1 } as const;
  const stage = new Stage(request, ["client"], { release, order: "connection" });
  stage.play(`
    .. client
    @ 5000
    > client 1 connect
    .. client until 5010
    @ 5010
    < client 1 accept
    .. client
  `);
  const server = new Stage(request, ["server"], { release, order: "connection" });
  server.play(`
    @ 700
    .. server until 710
    @ 710
    < server 1 connect
    > server 1 accept
    .. server until 720
    @ 720
    < server 1 5 bytes
  `);
});

const two = record(`
  0 1 connect client server:80
  1 1 accept
  2 1 client "a"
  3 1 server "b"
  4 1 client end
  5 1 server end
  6 2 connect client server:80
  7 2 accept
  8 2 client "a"
  9 2 server "b"
  10 2 server end
  11 2 client end
`).index;

test("apart, connections that did not overlap are still opened one after the other", () => {
  const stage = new Stage(two, ["server"], { order: "connection" });
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 1 bytes
    .. server
    > server 1 "b"
    < server 1 end
    .. server
    > server 1 end
    < server 2 connect
    > server 2 accept
    < server 2 1 bytes
    > server 2 "b"
    > server 2 end
    < server 2 end
    = server
  `);
  expect(stage.differences).toEqual([]);
  expect(stage.schedule("server").played).toBe(12);
});

test("the window ends at the first event that tells the process something new", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 2 connect client server:80
    3 1 server "x"
    4 3 connect client server:80
  `);
  const stage = new Stage(index, ["client"]);
  const schedule = stage.schedule("client");
  expect(schedule.windowEnd(1)).toBe(3);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 1 1 bytes
  `);
  expect(schedule.windowEnd(1)).toBe(5);
});

test("a connection that is opened but not identified satisfies the gate", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    1 2 connect other client:81
    2 2 accept
    3 1 client "a"
    4 1 server "b"
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    .. client
    > client 1 open
    < client 1 accept
    < client 2 connect
    > client 2 accept
    .. client
    > client 1 connect
    > client 1 "a"
    < client 1 1 bytes
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("a connection that is opened and stays silent is missed by its bytes", () => {
  const stage = new Stage(request, ["client"], { order: "connection" });
  stage.play(`
    > client 1 open
    .. client until 2050
    @ 2050
    = client
    ! missing-bytes 1 offset=0 expectedBytes=5
  `);
});
