import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Stage } from "./playbook.ts";
import { record, TestRecording } from "./recording.ts";

test("the part of a process ends where the recorder had stopped it", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 server "hello"
    3 1 server "bye"                 // the server is being stopped
    4 1 server end
    5 1 client end
    6 2 connect server client:90
    7 2 accept
    8 2 client "x"
    3 stop server
    9 stop client
  `);
  for (const order of ["process", "connection", "global"] as const) {
    const stage = new Stage(index, ["server"], { order });
    stage.play(`
      < server 1 connect
      .. server
      > server 1 accept
      .. server
      > server 1 "hello"
      = server
      > server 1 end                 // as when it is stopped now
      = server
    `);
    expect(stage.differences).toEqual([]);
    const early = new Stage(index, ["server"], { order });
    early.play(`
      < server 1 connect
      > server 1 accept
      > server 1 "hell"
      > server 1 end
      ! early-end 1 offset=4 expectedBytes=5
    `);
  }
  for (const order of ["process", "connection"] as const) {
    const stage = new Stage(index, ["client"], { order });
    stage.play(`
      .. client
      > client 1 connect
      < client 1 accept
      < client 1 5 bytes
      < client 1 3 bytes
      < client 1 end
      .. client
      > client 1 end
      < client 2 connect
      > client 2 accept
      .. client
      > client 2 "x"
      = client
    `);
    expect(stage.differences).toEqual([]);
  }
});

test("a connection that was open when its process was stopped is waited for", () => {
  const { index } = record(`
    0 1 connect client server:80
    1 1 accept
    2 1 client "x"
    5 1 client end
    4 stop client
  `);
  for (const release of [{ type: "causal" }, { type: "flood" }] as const) {
    const stage = new Stage(index, ["client"], { order: "connection", release });
    stage.play(`
      .. client
      > client 1 connect
      < client 1 accept
      .. client
      > client 1 "x"
      = client
    `);
    const missing = new Stage(index, ["client"], { order: "connection", release });
    missing.play(`
      .. client
      @ 9000
      = client
      ! missing-connection 1
    `);
  }
});

test("what follows the stop is behind it, even where times go back", () => {
  const times = fc.array(fc.nat(20), { maxLength: 30 });
  fc.assert(
    fc.property(times, fc.nat(25), fc.nat(25), (timesMs, serverMs, clientMs) => {
      const recording = new TestRecording();
      for (const atMs of timesMs) recording.connect(atMs, 1, 0, 80);
      recording.stop(serverMs, 0);
      recording.stop(clientMs, 1);
      const index = recording.finish();
      for (let event = 0; event < timesMs.length; event++) {
        const until = timesMs.slice(0, event + 1);
        expect(index.wasStopped(0, event)).toBe(until.some((atMs) => atMs >= serverMs));
        expect(index.wasStopped(1, event)).toBe(until.some((atMs) => atMs >= clientMs));
      }
      expect([index.isStopped(0), index.isStopped(1)]).toEqual([true, true]);
    }),
  );
});

test("a replay of times that go back comes to its end", () => {
  const { index } = record(`
    9 1 connect client server:80     // after the stop of the server, by its time
    2 1 accept
    2 1 server reset
    5 stop server
  `);
  const stage = new Stage(index, ["server"], { order: "connection" });
  stage.play(`
    = server
  `);
  expect(stage.differences).toEqual([]);
});
