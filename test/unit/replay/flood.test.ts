// With --flood nothing waits, but nobody is cut off either.
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

test("a flood waits for nothing but the connection, but ends it when the process has said all", () => {
  const stage = new Stage(request, ["client"], { release: { type: "flood" } });
  stage.play(`
    .. client
    > client 1 connect
    < client 1 accept
    < client 1 6 bytes
    .. client
    > client 1 "GET /"
    .. client
    > client 1 end
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
  expect(stage.schedule("client").played).toBe(6);
});

test("a flood resets a connection when the process has sent what it had sent before", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "a"
    3 1 server "b"
    4 1 client "c"
    5 1 server reset
    6 2 connect client server:80
    7 2 accept
    8 2 server "d"
  `);
  const stage = new Stage(index, ["client"], { release: { type: "flood" } });
  stage.play(`
    > client 1 connect
    < client 1 accept
    < client 1 1 bytes
    .. client
    > client 2 connect               // the other connection waits for none of it
    < client 2 accept
    < client 2 1 bytes
    .. client
    > client 1 "a"
    .. client
    > client 1 "c"
    < client 1 reset
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("a flood keeps connections apart that did not overlap", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "incr n"
    3 1 server "1"
    4 1 client end
    5 1 server end
    6 2 connect client server:80
    7 2 accept
    8 2 client "incr n"
    9 2 server "2"
  `);
  const stage = new Stage(index, ["server"], { release: { type: "flood" } });
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 6 bytes
    .. server
    > server 1 "1"
    < server 1 end
    .. server
    > server 1 end
    < server 2 connect
  `);
});

test("who got all answers in a flood need not ask any more, but may not leave before", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "one"
    3 1 server "1"
    4 1 client "two"
    5 1 server "2"
    6 1 client end
    7 1 server end
  `);
  const opening = `
    > client 1 connect
    < client 1 accept
    < client 1 1 bytes
  `;
  const stage = new Stage(index, ["client"], { release: { type: "flood" } });
  stage.play(`
    ${opening}
    < client 1 1 bytes
    .. client
    > client 1 "one"
    > client 1 end
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
  const early = new Stage(index, ["client"], { release: { type: "flood" } });
  early.play(`
    ${opening}
    > client 1 "one"
    > client 1 end
    ! early-end 1 offset=3
  `);
});
