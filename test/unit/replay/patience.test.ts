import { Direction } from "../../../src/base/direction.ts";
import { expect, test } from "vitest";
import { RecordKind } from "../../../src/dump/format/schema.ts";
import { Stage } from "./playbook.ts";
import { record, TestRecording } from "./recording.ts";

const request = record(`
  0    1 connect client server:80
  10   1 accept
  520  1 client "GET /"
  530  1 server "200 OK"
  540  1 client end
  550  1 server end
`).index;

test("what does not come is given up after the recorded gap and the patience", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client
    @ 100
    > client 1 "GE"
    .. client
    @ 2609                           // 100 + 510 + 2000 - 1
    .. client until 2610
    @ 2610
    < client 1 6 bytes
    ! missing-bytes 1 offset=2 expectedBytes=5 process=client
    > client 1 end
    ! early-end 1 offset=2
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("a process that has done nothing yet has as long to start as it had then, and the patience", () => {
  const { index } = record(`
    4000 1 connect client server:80
    4001 1 accept
    4002 1 client "GET /"
  `);
  const stage = new Stage(index, ["server"]);
  stage.play(`
    < server 1 connect               // sooner than then
    .. server
    @ 6000
    .. server until 6001
    @ 6001
    = server
    ! no-answer 1
  `);
});

test("as long as anything moves there is patience", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    << client 1 accept
    @ 1900
    > client moves
    .. client
    @ 3800
    .. client until 3910
    taken client
    .. client
  `);
  expect(stage.differences).toEqual([]);
});

test("what is sent on a stream that has differed postpones nothing", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 2 connect client server:81
    3 2 accept
    4 1 client "answer"
    5 1 server "thanks"
    6 2 client (600 "beat")
  `);
  const play = (how: string): number => {
    const stage = new Stage(index, ["client"]);
    stage.play(`
      > client 1 connect
      < client 1 accept
      > client 2 connect
      < client 2 accept
      > client 1 "ans"
    `);
    // It never sends the rest of the answer, and its heart beats on the other connection.
    const schedule = stage.schedule("client");
    for (let turn = schedule.next(0); turn.type === "wait"; turn = schedule.next(stage.nowMs)) {
      stage.nowMs += 500;
      stage.play(`> client 2 ${how}"beat"`);
    }
    return stage.nowMs;
  };
  expect(play("astray ")).toBeLessThanOrEqual(2500);
  expect(play("")).toBeGreaterThan(10_000);
});

test("a connection that never comes is skipped whole, and what is behind it goes on", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "GET /"
    3 1 server "200 OK"
    4 1 client end
    5 1 server end
    6 2 connect server client:9
    7 2 accept
  `);
  for (const order of ["process", "connection", "global"] as const) {
    const stage = new Stage(index, ["client"], { order });
    stage.play(`
      .. client
      @ 2006
      < client 2 connect
      ! missing-connection 1
      > client 2 accept
      = client
    `);
    expect(stage.differences).toEqual([]);
    expect(stage.schedule("client").played).toBe(8);
  }
});

test("a connection that comes late is played on its own, from the start", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "GET /"
    3 1 server "200 OK"
    4 2 connect client server:81
    5 2 accept
    6 2 server "hello"
    7 2 client "bye"
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    .. client
    @ 2000
    .. client
    ! missing-connection 1
    > client 2 connect
    < client 2 accept
    < client 2 5 bytes
    .. client
    > client 1 connect
    < client 1 accept
    .. client
    > client 1 "GET /"
    < client 1 6 bytes
    .. client
    > client 2 "bye"
    = client
  `);
  expect(stage.differences).toEqual([]);
  expect(stage.schedule("client").played).toBe(8);
});

test("an end or a reset that is missing is given up as well", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client end
    3 1 server "x"
    4 1 client reset
    5 2 connect server client:9
    6 2 refuse
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client until 2002
    @ 2002
    < client 1 1 bytes
    ! missing-end 1 offset=0
    .. client until 3003             // half the patience the second time
    @ 3003
    < client 2 connect
    ! missing-reset 1 offset=0
    .. client
    @ 9000
    = client
    ! no-answer 2
  `);
});

test("a stream that lags behind is waited for once, not at every step", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    0 1 client "12345"
    0 1 server "a"
    0 1 client "12345"
    0 1 server "b"
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "1234"
    .. client
    @ 2000
    < client 1 1 bytes
    ! missing-bytes 1
    > client 1 "12345"
    < client 1 1 bytes
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("who takes nothing is left alone; the others go on", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    0 2 connect client server:80
    0 2 accept
    0 1 server "aaa"
    0 2 server "b"
    0 1 server "cc"
  `);
  const opening = `
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 2 accept
    << client 1 3 bytes
  `;
  const stage = new Stage(index, ["client"]);
  stage.play(`
    ${opening}
    .. client until 2000
    @ 2000
    < client 2 1 bytes
    ! stuck 1 offset=0 expectedBytes=3
    .. client
    taken client
    < client 1 2 bytes
    = client
  `);
  const stuck = new Stage(index, ["client"]);
  stuck.play(`
    ${opening}
    @ 2000
    < client 2 1 bytes
    .. client
    @ 4000
    = client
    taken client
    < client 1 2 bytes
    = client
  `);
});

test("a process that is gone is not waited for", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    << client 1 accept
    > client gone
    = client
    ! missing-bytes 1
    ! missing-end 1
  `);
  const server = new Stage(request, ["server"]);
  server.play(`
    > server gone
    = server
    ! no-answer 1
  `);
});

test("a server may refuse what it accepted, and accept what it refused", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "x"
    3 1 server "y"
    4 2 connect client server:80
    5 2 refuse
    6 3 connect client server:80
  `);
  for (const order of ["process", "connection"] as const) {
    const stage = new Stage(index, ["server"], { order });
    stage.play(`
      < server 1 connect
      > server 1 refuse
      ! refused-instead 1
      < server 2 connect
      > server 2 accept
      ! accepted-instead 2
      < server 3 connect
      = server
    `);
  }
});

test("a connection that breaks early is not waited for, nor played to", () => {
  const stage = new Stage(request, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "GET /"
    << client 1 6 bytes
    > client 1 reset
    ! unexpected-reset 1 offset=5 expectedBytes=5
    = client
  `);
  const flood = new Stage(request, ["client"], { release: { type: "flood" } });
  flood.play(`
    > client 1 connect
    < client 1 accept
    << client 1 6 bytes
    > client 1 reset
    ! unexpected-reset 1 offset=0 expectedBytes=5
    = client
  `);
});

test("a reset as recorded is none; nor is one after everything was said", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 server "x"
    3 1 client reset
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    < client 1 1 bytes
    .. client
    > client 1 reset
    = client
  `);
  const closing = new Stage(request, ["client"]);
  closing.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "GET /"
    < client 1 6 bytes
    > client 1 end
    > client 1 reset
    = client
  `);
  expect([...stage.differences, ...closing.differences]).toEqual([]);
});

test("an end that the recording does not have is one if something is still to be delivered", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "a"
    3 1 server "b"
    4 1 client "c"
    5 1 server "d"
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "ac"
    > client 1 end
    ! unexpected-end 1 offset=2
    < client 1 1 bytes
    < client 1 1 bytes
    = client
  `);
});

test("a process that hangs delays by a few patiences in all", () => {
  const recording = new TestRecording();
  for (let i = 0; i < 100; i++) {
    const number = recording.connect(i, 1, 0, 80);
    recording.event(i, number, RecordKind.accept, Direction.toClient);
    recording.event(i, number, RecordKind.data, Direction.toServer, Buffer.from("?"));
    recording.event(i, number, RecordKind.data, Direction.toClient, Buffer.from("!"));
    recording.event(i, number, RecordKind.end, Direction.toClient);
  }
  const stage = new Stage(recording.finish(), ["server"]);
  const schedule = stage.schedule("server");
  for (let turn = schedule.next(0); turn.type !== "done"; turn = schedule.next(stage.nowMs)) {
    if (turn.type === "wait") stage.nowMs = turn.untilMs;
    else schedule.noteDelivered(turn.event);
    // Its kernel accepts for it.
    if (turn.type === "deliver" && stage.index.kind(turn.event) === RecordKind.connect)
      schedule.noteAccepted(stage.index.connection(turn.event));
  }
  expect(stage.nowMs).toBeLessThan(8 * 2000);
  expect(stage.differences).toHaveLength(200);
});
