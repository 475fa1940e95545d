/** Bytes on their way: who speaks first, how much, how many at once, and who waits for whom. */
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import type { Socket } from "../sockets.ts";
import type { Stage } from "../stage.ts";
import { pattern, tell } from "../stream.ts";

const pieceBytes = 0x4_0000;

/** Sends until the kernel takes no more for a while. Returns how many bytes it took. */
function sendUntilBlocked(socket: Socket, bytes: Uint8Array): number {
  let sentBytes = 0;
  while (sentBytes < bytes.length) {
    if (socket.poll(more.pollEvents.OUT, blockedMs) !== "OUT") break;
    const count = socket.sendSome(bytes.subarray(sentBytes, sentBytes + pieceBytes));
    if (typeof count === "number") sentBytes += count;
    else if (count !== "EAGAIN") throw new Error(`send: ${count}`);
  }
  return sentBytes;
}

/** A sender that could send nothing for this long is held. */
const blockedMs = 1000;

/** Connects without waiting, and waits then: a socket whose sends never wait. */
function dialNonBlocking(stage: Stage, to: number = stage.port): Socket {
  const socket = stage.nonBlocking();
  socket.connect({ address: stage.there, port: to });
  socket.poll(more.pollEvents.OUT);
  return socket;
}

const serverFirst: Scenario = {
  name: "server-first",
  title: "the server speaks first",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    stage.say("send", accepted.send("220 ready"));
    stage.say("received", accepted.receive(4));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.say("received", socket.receive(9));
    stage.say("send", socket.send("EHLO"));
    stage.meet();
  },
};

/** More than all buffers on the way together, in plg as well. */
const floodBytes = 64_000_000;

const readAtOnce =
  "A replay reads what a process sends as it comes, to compare it: nobody is slow there.";

const backPressure: Scenario = {
  name: "back-pressure",
  differences: [
    {
      in: ["replay"],
      lines: {
        [`client: is held before ${floodBytes} bytes: true`]: `client: is held before ${floodBytes} bytes: false`,
      },
      why: readAtOnce,
    },
  ],
  title: "a sender whose reader sleeps is held, and loses nothing",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    stage.meet();
    tell(stage, "received", accepted.receiveRest());
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = dialNonBlocking(stage);
    const flood = pattern(floodBytes);
    let sentBytes = sendUntilBlocked(socket, flood);
    stage.say(`is held before ${floodBytes} bytes`, sentBytes < floodBytes);
    stage.measure("bytes until a sender is held", sentBytes);
    stage.meet();
    while (sentBytes < floodBytes) sentBytes += sendUntilBlocked(socket, flood.subarray(sentBytes));
    socket.close();
    stage.meet();
  },
};

const holdUp: Scenario = {
  name: "no-hold-up",
  differences: [
    {
      in: ["replay"],
      lines: { "client: the sender is held: true": "client: the sender is held: false" },
      why: readAtOnce,
    },
  ],
  title: "a stopped reader, a full backlog and an unanswered SYN hold up no other connection",
  server(stage) {
    const echo = stage.listen(stage.port);
    const unread = stage.listen(stage.port + 1);
    stage.listen(stage.port + 2, 0);
    stage.listen(stage.port + 3).deafen();
    stage.meet();
    unread.accept();
    const accepted = echo.accept();
    accepted.send(pattern(2_000_000));
    tell(stage, "received", accepted.receiveRest());
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const stuck = dialNonBlocking(stage, stage.port + 1);
    const flood = pattern(floodBytes);
    stage.say("the sender is held", sendUntilBlocked(stuck, flood) < floodBytes);
    stage.dial(stage.port + 2);
    for (const to of [stage.port + 2, stage.port + 3]) {
      const waiting = stage.nonBlocking();
      stage.say("connect", waiting.connect({ address: stage.there, port: to }));
      stage.say("poll", waiting.poll(more.pollEvents.OUT, 300));
    }
    const free = stage.dial(stage.port);
    tell(stage, "received on another", free.receiveRest(2_000_000));
    stage.say("send on another", free.send(pattern(2_000_000)));
    free.close();
    stage.meet();
    stuck.reset();
  },
};

/** Answers four bytes on each of so many connections, one after the other. */
function answerEach(stage: Stage, listener: Socket, count: number): void {
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const accepted = listener.accept();
    const question = accepted.receive(4);
    accepted.send("pong");
    count1(seen, `${question}, ${accepted.receive(1)}`);
    accepted.close();
  }
  stage.say("questions", counts(seen));
}

function askOnce(stage: Stage): string {
  const socket = stage.socket();
  const connected = socket.connect({ address: stage.there, port: stage.port });
  const sent = socket.send("ping");
  const answer = socket.receive(4);
  socket.close();
  return `${connected}, ${sent}, ${answer}`;
}

function count1(seen: Map<string, number>, what: string): void {
  seen.set(what, (seen.get(what) ?? 0) + 1);
}

function counts(seen: ReadonlyMap<string, number>): string {
  return [...seen].map(([what, count]) => `${count} times ${what}`).join("; ");
}

const shortConnections: Scenario = {
  name: "short-connections",
  title: "2000 short connections in a row",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    answerEach(stage, listener, 2000);
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const seen = new Map<string, number>();
    for (let i = 0; i < 2000; i++) count1(seen, askOnce(stage));
    stage.say("connect, send, receive", counts(seen));
    stage.meet();
  },
};

const underLoad: Scenario = {
  name: "under-load",
  title: "200 connections while another carries all it can",
  server(stage) {
    const flooded = stage.listen(stage.port + 1);
    const listener = stage.listen();
    stage.meet();
    const flood = flooded.accept();
    const seen = new Map<string, number>();
    for (let i = 0; i < 200;) {
      flood.skip();
      if (listener.poll(more.pollEvents.IN, 0) !== "IN") continue;
      const accepted = listener.accept();
      count1(seen, accepted.receive(4));
      accepted.send("pong");
      accepted.close();
      i++;
    }
    stage.say("questions", counts(seen));
    stage.say("the flood ended with", flood.receiveRest().over);
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const flood = stage.dial(stage.port + 1);
    const piece = pattern(0x1_8000);
    const seen = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      flood.send(piece);
      count1(seen, askOnce(stage));
    }
    flood.close();
    stage.say("connect, send, receive", counts(seen));
    stage.meet();
  },
};

export const streams: readonly Scenario[] = [
  serverFirst,
  backPressure,
  holdUp,
  shortConnections,
  underLoad,
];
