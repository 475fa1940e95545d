// A live server gets its connections in the order in which it had accepted them.
import { expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const lateServer = record(`
  0   1 connect client server:80
  10  2 connect other server:80
  20  3 connect client server:81
  21  3 refuse
  300 2 accept
  301 1 accept
  310 2 server "first"
  311 1 server "second"
`).index;

test("a server is dialed in the order in which it accepted, not in that of the SYNs", () => {
  const stage = new Stage(lateServer, ["server"]);
  stage.play(`
    < server 3 connect
    .. server
    > server 3 refuse
    < server 2 connect
    .. server
    > server 2 accept
    < server 1 connect
    > server 1 accept
    > server 2 "first"
    > server 1 "second"
    = server
  `);
  expect(stage.differences).toEqual([]);
  expect(stage.schedule("server").played).toBe(8);
});

test("with a speed, a server is dialed when it accepted", () => {
  const stage = new Stage(lateServer, ["server"], { release: { type: "speed", factor: 1 } });
  stage.play(`
    .. server until 20
    @ 20
    < server 3 connect
    > server 3 refuse
    .. server until 299
    @ 299
    < server 2 connect
  `);
});

test("a client's connections stay in the order of their SYNs", () => {
  const stage = new Stage(lateServer, ["client"]);
  stage.play(`
    .. client
    > client 1 connect
    > client 3 connect
    < client 3 refuse
    < client 1 accept
    < client 1 6 bytes
    = client
  `);
});

test("a server that is a client as well may still connect before it is dialed", () => {
  const { index } = record(`
    0   1 connect client server:80
    10  2 connect server other:90
    11  2 accept
    300 1 accept
  `);
  const schedule = new Stage(index, ["server"]).schedule("server");
  expect(schedule.windowEnd()).toBeGreaterThan(1);
});
