import { expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const pool = record(`
  0 1 connect client server:80
  0 1 accept
  0 2 connect client server:80
  0 2 accept
  1 1 client "a"
  2 1 server "A1"
  3 1 server "A2"
  4 2 client "b"
  5 2 server "B"
  6 1 server end
`).index;

test("an answer needs a question: what was never asked is not answered", () => {
  const stage = new Stage(pool, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 2 accept
    .. client
    @ 2001
    .. client
    > client 2 "b"
    < client 2 1 bytes
    = client
    ! missing-bytes 1 offset=0 expectedBytes=1
  `);
  expect(stage.differences).toEqual([]);
});

test("what was asked otherwise, or in part, is answered whole", () => {
  const stage = new Stage(
    record(`
      0 1 connect client server:80
      0 1 accept
      1 1 client "abc"
      2 1 server "A1"
      3 1 server "A2"
      4 1 client "d"
      5 1 server "D"
    `).index,
    ["client"],
  );
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "ab"
    .. client
    @ 2001
    < client 1 2 bytes
    < client 1 2 bytes
    .. client
    @ 4001
    = client
    ! missing-bytes 1 offset=2 expectedBytes=3
    ! missing-bytes 1 offset=2 expectedBytes=4
  `);
});
