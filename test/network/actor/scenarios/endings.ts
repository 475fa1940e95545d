/** Connections that end well, in whatever order. */
import * as abi from "../../../../src/sys/abi.ts";
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import type { Stage } from "../stage.ts";
import type { Outcome, Socket } from "../sockets.ts";
import { pattern, tell } from "../stream.ts";

/**
 * How long a half-closed connection is held: longer than what plg waits for anywhere within a
 * connection.
 */
const longMs = 2500;

/**
 * Ends its own direction, then goes on receiving what the other says, the last of it much later.
 */
function endFirst(stage: Stage, socket: Socket): void {
  stage.say("send", socket.send("question"));
  stage.say("shutdown", socket.shutdown());
  stage.say("send after shutdown", socket.send("more"));
  stage.say("received at once", socket.receive(5));
  stage.say("received late", socket.receive(4));
  stage.say("received then", socket.receive(1));
  stage.say("received after the end", socket.receive(1));
}

/** Hears the end, and still answers for a while. */
function endLast(stage: Stage, socket: Socket): void {
  stage.say("received", socket.receive(8));
  stage.say("received then", socket.receive(1));
  stage.say("poll", socket.poll(more.pollEvents.IN | more.pollEvents.RDHUP));
  stage.say("send", socket.send("first"));
  stage.hold(longMs);
  stage.say("send late", socket.send("last"));
  socket.close();
}

const halfCloseByClient: Scenario = {
  name: "half-close-client",
  title: "half-close by the client, held for a while",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    endLast(stage, listener.accept());
  },
  client(stage) {
    stage.meet();
    endFirst(stage, stage.dial());
  },
};

const halfCloseByServer: Scenario = {
  name: "half-close-server",
  title: "half-close by the server, held for a while",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    endFirst(stage, listener.accept());
  },
  client(stage) {
    stage.meet();
    endLast(stage, stage.dial());
  },
};

const simultaneousClose: Scenario = {
  name: "simultaneous-close",
  title: "both ends close at the same time",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    closeTogether(stage, () => listener.accept());
  },
  client(stage) {
    stage.meet();
    closeTogether(stage, () => stage.dial());
  },
};

function closeTogether(stage: Stage, connect: () => Socket): void {
  const seen = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const socket = connect();
    stage.meet();
    const shut = socket.shutdown();
    seen.add(`${shut}, ${socket.receive(1)}`);
    socket.close();
  }
  stage.say("20 times shutdown, received", [...seen].join("; "));
}

const zeroBytes: Scenario = {
  name: "zero-bytes",
  title: "connections without a byte, closed by either side first",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const byClient = listener.accept();
    stage.say("received", byClient.receive(1));
    byClient.close();
    listener.accept().close();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    stage.dial().close();
    const byServer = stage.dial();
    stage.say("received", byServer.receive(1));
    stage.say("send once it was closed", byServer.shutdown());
    stage.meet();
  },
};

const dataBeforeClose: Scenario = {
  name: "data-before-close",
  title: "3 MB, and closed right behind them, by either side",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    tell(stage, "received", listener.accept().receiveRest());
    stage.meet();
    const second = listener.accept();
    stage.say("send", second.send(pattern(3_000_000)));
    second.close();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const first = stage.dial();
    stage.say("send", first.send(pattern(3_000_000)));
    first.close();
    stage.meet();
    tell(stage, "received", stage.dial().receiveRest());
    stage.meet();
  },
};

const closedListener: Scenario = {
  name: "listener-gone",
  title: "a connection goes on when its listener is closed",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    listener.close();
    stage.meet();
    stage.say("received", accepted.receive(5));
    stage.say("send", accepted.send("still"));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.meet();
    stage.say("connect", stage.socket().connect({ address: stage.there, port: stage.port }));
    stage.say("send", socket.send("still"));
    stage.say("received", socket.receive(5));
    stage.meet();
  },
};

/** Binds the port again without SO_REUSEADDR, which TIME_WAIT forbids. */
function bindAgain(stage: Stage, wanted: Outcome): Outcome {
  return stage.until(wanted, () => {
    const socket = stage.socket();
    const bound = socket.bind({ address: stage.here, port: stage.port });
    socket.close();
    return bound;
  });
}

function timeWait(first: "server" | "client"): Scenario {
  return {
    name: `time-wait-${first}`,
    title: `TIME_WAIT is with the side that closed first: the ${first}`,
    server(stage) {
      const listener = stage.listen();
      stage.meet();
      const accepted = listener.accept();
      listener.close();
      if (first === "client") accepted.receive(1);
      accepted.shutdown();
      accepted.receive(1);
      accepted.close();
      stage.meet();
      stage.say("bind the port again", bindAgain(stage, first === "server" ? "EADDRINUSE" : "ok"));
      stage.meet();
    },
    client(stage) {
      stage.meet();
      const socket = stage.dial();
      if (first === "server") socket.receive(1);
      socket.shutdown();
      socket.receive(1);
      socket.close();
      stage.meet();
      stage.meet();
    },
  };
}

const deferredAccept: Scenario = {
  name: "deferred-accept",
  title: "TCP_DEFER_ACCEPT: accepted with the first bytes",
  server(stage) {
    const listener = stage.listen();
    listener.set(abi.IPPROTO_TCP, more.TCP_DEFER_ACCEPT, 30);
    stage.meet();
    stage.meet();
    stage.say("poll before the first byte", listener.poll(more.pollEvents.IN, 300));
    stage.meet();
    stage.say("received", listener.accept().receive(5, abi.MSG_DONTWAIT));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.meet();
    stage.meet();
    stage.say("send", socket.send("hello"));
    stage.meet();
  },
};

export const endings: readonly Scenario[] = [
  halfCloseByClient,
  halfCloseByServer,
  simultaneousClose,
  zeroBytes,
  dataBeforeClose,
  closedListener,
  timeWait("server"),
  timeWait("client"),
  deferredAccept,
];
