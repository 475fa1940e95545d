// Where the other side cut a stream off, how much of it was sent is chance.
import { Direction } from "../../../src/base/direction.ts";
import { describe, expect, test } from "vitest";
import { CutStreams } from "../../../src/replay/progress/cut-streams.ts";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

function cutOffset(lines: string): number {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    ${lines}
  `);
  return new CutStreams(index).offset(1, Direction.toClient);
}

describe("a stream is cut", () => {
  test("by a reset before its own end", () => {
    expect(
      cutOffset(`
      0 1 server "aaa"
      0 1 client reset
    `),
    ).toBe(3);
  });

  test("by the FIN of a peer that closed, so that its kernel resets the connection", () => {
    expect(
      cutOffset(`
      0 1 server "aaa"
      0 1 client end
      0 1 server "bb"
      0 1 client reset
    `),
    ).toBe(3);
  });

  test("not by a half-close, nor after its own end", () => {
    expect(
      cutOffset(`
      0 1 client end
      0 1 server "aaa"
      0 1 server end
    `),
    ).toBe(Infinity);
    expect(
      cutOffset(`
      0 1 server "aaa"
      0 1 server end
      0 1 client reset
    `),
    ).toBe(Infinity);
  });

  test("not before an answer that is due has begun", () => {
    expect(
      cutOffset(`
      0 1 client "GET /"
      0 1 client end
      0 1 server "aaa"
      0 1 client reset
    `),
    ).toBe(1);
  });
});

const download = record(`
  0 1 connect client server:80
  1 1 accept
  2 1 client "GET /"
  3 1 server 600 "x"
  4 1 server 600 "x"
  5 1 client reset
`).index;

test("whose peer reset the connection may have sent more, and may end or reset it, too", () => {
  for (const how of ["end", "reset"]) {
    const stage = new Stage(download, ["server"]);
    stage.play(`
      < server 1 connect
      > server 1 accept
      < server 1 5 bytes
      .. server
      > server 1 1900 "x"
      > server 1 ${how}
    `);
    expect(stage.differences).toEqual([]);
  }
});

test("it must have sent as much as was recorded", () => {
  const stage = new Stage(download, ["server"]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 5 bytes
    > server 1 1000 "x"
    > server 1 end
    ! early-end 1 offset=1000 expectedBytes=1200
  `);
});

test("whose peer had closed may have seen that sooner, or later", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 server "tick"
    3 1 client end
    4 1 server "tick"
    5 1 server "tick"
    6 1 client reset
  `);
  const opening = `
    < server 1 connect
    > server 1 accept
    .. server
    > server 1 "tick"
    < server 1 end
    .. server
  `;
  const sooner = new Stage(index, ["server"]);
  sooner.play(`
    ${opening}
    > server 1 end
    < server 1 reset
    = server
  `);
  const later = new Stage(index, ["server"]);
  later.play(`
    ${opening}
    > server 1 "t"
    .. server
  `);
  // Its peer may also have gone on reading, so only a pause says that no more comes.
  const nextTick = 4;
  expect(later.progress.isPastCut(index, nextTick)).toBe(true);
  later.schedule("server").noteCutShort(nextTick);
  later.play(`
    < server 1 reset
    = server
  `);
  const never = new Stage(index, ["server"]);
  never.play(`
    ${opening}
    @ 2004
    < server 1 reset
    = server
  `);
  expect([sooner, later, never].flatMap(({ differences }) => differences)).toEqual([]);
});

test("a peer that only half-closed goes on reading before it resets the connection", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client end
    3 1 server 600 "x"
    4 1 server 600 "x"
    5 1 client reset
  `);
  const stage = new Stage(index, ["server"]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 end
    > server 1 600 "x"
    .. server
    > server 1 600 "x"
    < server 1 reset
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("who cuts a stream off may do so with more or less of it on its way, but not before it comes", () => {
  for (const how of ["end", "reset"]) {
    const stage = new Stage(download, ["client"]);
    stage.play(`
      > client 1 connect
      < client 1 accept
      > client 1 "GET /"
      < client 1 600 bytes
      > client 1 ${how}
    `);
    expect(stage.differences).toEqual([]);
  }
  const early = new Stage(download, ["client"]);
  early.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "GET /"
    > client 1 reset
    ! unexpected-reset 1 offset=5 expectedBytes=5
  `);
});

test("whether a process that leaves bytes unread ends or resets its stream is chance", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    1 1 client (100 "x")
    2 1 server end
    2 1 client (100 "y")
    3 1 client end
  `);
  const stage = new Stage(index, ["server"]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 100 bytes
    > server 1 reset
    = server
  `);
  expect(stage.differences).toEqual([]);
});

test("a process that had answered all it was sent does not reset the connection by chance", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    1 1 client "question"
    2 1 server "answer"
    3 1 server end
    4 1 client end
  `);
  const stage = new Stage(index, ["server"]);
  stage.play(`
    < server 1 connect
    > server 1 accept
    < server 1 8 bytes
    > server 1 "answer"
    > server 1 reset
    ! unexpected-reset 1
    = server
  `);
});

test("an exchange that is detached shares the cut of its connection, whenever that is asked", () => {
  const { index } = record(`
    0 1 connect client server:80
    0 1 accept
    0 1 client "one"
    0 1 server "1"
    0 1 client "two"
    0 1 server "2222"
    0 1 client reset
  `);
  const { progress, schedules } = new Stage(index, ["client"]);
  const { toServer, toClient } = Direction;
  const own = schedules.get("client")?.index;
  expect(progress.cuts.offset(1, toClient)).toBe(5);
  const number = progress.admit(1);
  own?.detach(number, 4, 7);
  // The schedule's index has lost the exchange. The one that cuts are found in stays whole.
  expect(own?.connections.bytes(1, toServer)).toBe(3);
  for (const connection of [1, number]) expect(progress.cuts.offset(connection, toClient)).toBe(5);
});

test.each([
  ["right after its last byte may end it before its peer's bytes come", 6, ""],
  ["later had waited for its peer's bytes", 600, "! unexpected-end 1 offset=5 expectedBytes=5"],
] as const)("a process that reset the connection %s", (_, resetMs, difference) => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "hello"
    3 1 server "bye"
    ${resetMs} 1 client reset
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 1 "hello"
    > client 1 end
    ${difference}
    < client 1 3 bytes
    > client 1 reset
    = client
  `);
  expect(stage.differences).toEqual([]);
});
