import { expect, test } from "vitest";
import { endOf } from "../../../src/base/ids.ts";
import { Direction } from "../../../src/base/direction.ts";
import { exchangeAt } from "../../../src/recording/exchange.ts";
import type { RecordingIndex } from "../../../src/recording/recording.ts";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

const idle = (later: string): RecordingIndex =>
  record(`
  0 1 connect client server:80
  0 1 accept
  0 2 connect client server:80
  0 2 accept
  1 1 client "login"
  2 1 server "ok"
  3 2 client "login"
  4 2 server "ok"
  100 2 client "question"
  101 2 server "answer"
  ${later}
`).index;

const push = `
  8950 3 connect client server:80
  8951 3 accept
  9000 1 server "idle for too long"
  9001 1 server end
  9002 3 client "login"
  9003 3 server "ok"
`;

/** Both connections have logged in; the second one's question was asked on the first. */
function loosened(later: string): Stage {
  const stage = new Stage(idle(later), ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    > client 2 connect
    < client 2 accept
    > client 1 "login"
    < client 1 2 bytes
    > client 2 "login"
    < client 2 2 bytes
    .. client
  `);
  const schedule = stage.schedule("client");
  const { index } = schedule;
  const from = index.connections.from(2);
  const question = exchangeAt(index, 2, exchangeAt(index, 2, from)?.to ?? 0);
  if (question === undefined) throw new Error("the question is the second exchange");
  const number = stage.progress.admit(2);
  index.detach(number, question.from, question.to);
  const end = endOf(number, Direction.toServer);
  stage.progress.noteSent(end, question.questionFrom);
  schedule.noteAsked(number);
  schedule.noteBytes(number, Direction.toServer, question.questionTo);
  const step = schedule.next(0);
  expect(step.type).toBe("deliver");
  schedule.noteDelivered(step.event);
  return stage;
}

test("what a server sends to a loose connection unasked waits for the common order", () => {
  const stage = loosened(push);
  stage.play(`
    .. client                        // not what comes after nine seconds
    > client 3 connect
    < client 3 accept
    < client 1 17 bytes
    < client 1 end
    > client 3 "login"
    < client 3 2 bytes
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("or it comes after the recorded time, if the common order does not get there", () => {
  const stage = loosened(push);
  stage.play(`
    @ 8899
    .. client until 8900             // 9000 - 100, where the common order stood
    @ 8900
    < client 1 17 bytes
    < client 1 end
    .. client
  `);
  expect(stage.differences).toEqual([]);
});

test("awaiting a loose connection costs no patience while others move", () => {
  const stage = loosened(`
    102 1 client "another question"
    103 1 server "another answer"
    30000 3 connect client server:80
    30001 3 accept
  `);
  for (let nowMs = 1000; nowMs <= 14_000; nowMs += 1000)
    stage.play(`
      > client moves
      .. client
      @ ${nowMs}
    `);
  stage.play(`
    .. client
    ! missing-bytes 1 offset=5
    @ 40000
    .. client
    @ 50000
    = client
  `);
  const [missing] = stage.differences;
  expect(missing).toMatchObject({ kind: "missing-connection", wait: { patienceMs: 2000 } });
});

test("a pool that is ahead gives nothing up while the process follows the recording", () => {
  const stage = loosened(`
    8000 3 connect client server:80
    8001 3 accept
    20000 2 client "more"
    20001 2 server "x"
  `);
  stage.play(`
    > client 2 "questionmore"
    < client 2 1 bytes
    .. client
    @ 300
    .. client
    > client 3 connect
    < client 3 accept
    = client
  `);
  expect(stage.differences).toEqual([]);
});
