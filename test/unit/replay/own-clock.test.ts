// A process's timers run at their usual speed, however early its peers' bytes arrive.
import { describe, expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { record } from "./recording.ts";

/** A subscriber that its own timer ends 12 s after its start, 2 s after the last message. */
const subscriber = record(`
  0     1 connect client server:6379
  1     1 accept
  2     1 client "subscribe"
  3     1 server "ok"
  5000  1 server "news 1"
  10000 1 server "news 2"
  12000 1 client end
  12001 1 server end
`).index;

const subscribed = `
  > client 1 connect
  < client 1 accept
  > client 1 "subscribe"
  < client 1 2 bytes
  < client 1 6 bytes
  < client 1 6 bytes
`;

test("what a process does by its own clock is not overdue before the recorded time and the patience", () => {
  const stage = new Stage(subscriber, ["client"]);
  stage.play(`
    ${subscribed}
    .. client
    @ 13999
    .. client until 14000
    > client 1 end
    < client 1 end
    = client
  `);
  expect(stage.differences).toEqual([]);
});

test("what a process does by its own clock is overdue sooner with --speed", () => {
  const stage = new Stage(subscriber, ["client"], { release: { type: "speed", factor: 2 } });
  stage.play(`
    > client 1 connect
    .. client until 0.5
    @ 0.5
    < client 1 accept
    .. client
    > client 1 "subscribe"
    .. client
    @ 5000
    < client 1 2 bytes
    .. client
    @ 10000
    < client 1 6 bytes
    .. client
    @ 12500
    < client 1 6 bytes
    .. client until 16500            // later than 6000 + 2000: the recorded gap counts as well
  `);
});

test("what a process does by its own clock is overdue after the recorded gap once the process has departed", () => {
  const stage = new Stage(subscriber, ["client"]);
  stage.play(`
    ${subscribed}
    .. client
    @ 3000
    .. client until 14000
  `);
  stage.progress.noteDeparture(1);
  stage.play(`
    .. client until 4000
    @ 4000
    < client 1 end
    ! missing-end 1
  `);
});

test("what a process does by its own clock is waited for once: a patience that ended costs the credit", () => {
  const { index } = record(`
    0     1 connect client server:80
    1     1 accept
    2000  1 client "a"
    2001  1 server "b"
    9000  2 connect client server:80
  `);
  const stage = new Stage(index, ["client"]);
  stage.play(`
    > client 1 connect
    < client 1 accept
    .. client until 4000
    @ 4000
    .. client                        // the answer to a question that was not asked is withheld
    ! missing-bytes 1
    @ 4001
    .. client until 12999            // the gap of 6999 ms and the patience
    @ 12999
    = client
    ! missing-connection 2
  `);
});

describe("bytes that a process does not read", () => {
  const lines = `
    0    1 connect client server:80
    1    1 accept
    2    1 client 600 "x"
    3    1 client end
  `;
  const delivered = `
    < server 1 connect
    > server 1 accept
    << server 1 600 bytes
  `;

  test("are late when the next thing that it did is", () => {
    const { index } = record(`${lines}
      6000 1 server end
    `);
    const stage = new Stage(index, ["server"]);
    stage.play(`
      ${delivered}
      .. server until 8000
      @ 7999
      .. server
      taken server
      < server 1 end
    `);
    expect(stage.differences).toEqual([]);
  });

  test("are late when its exit is, if it did nothing else", () => {
    const { index } = record(`${lines}
      7000 exit server
    `);
    const stage = new Stage(index, ["server"]);
    stage.play(`
      ${delivered}
      .. server until 9000
      @ 9000
      .. server
      ! stuck 1
    `);
  });

  test("that a kernel accepts a connection for it is nothing that it did", () => {
    const { index } = record(`${lines}
      4    2 connect client server:81
      5    2 accept
      6000 1 server end
    `);
    const stage = new Stage(index, ["server"]);
    stage.play(`
      ${delivered}
      .. server until 8000
    `);
  });
});

test("in a ten-minute recording, who never gets on delays by a few patiences in all", () => {
  const lines = Array.from(
    { length: 120 },
    (_, i) => `
      ${5000 * (i + 1)} 1 client "question"
      ${5000 * (i + 1) + 1} 1 server "answer"
      ${5000 * (i + 1) + 2} ${i + 2} connect client server:81
    `,
  );
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    ${lines.join("")}
  `);
  const stage = new Stage(index, ["client"]);
  const schedule = stage.schedule("client");
  stage.play(`
    > client 1 connect
    < client 1 accept
  `);
  for (let step = schedule.next(0); step.type !== "done"; step = schedule.next(stage.nowMs))
    if (step.type === "wait") stage.nowMs = step.untilMs;
    else stage.delivered(schedule, step.event);
  expect(stage.nowMs).toBeLessThan(600_000 + 6 * 2000);
  expect(schedule.played).toBe(schedule.total);
});
