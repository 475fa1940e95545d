/** Who is who: addresses and ports. */
import * as abi from "../../../../src/sys/abi.ts";
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import { Socket } from "../sockets.ts";
import type { Stage } from "../stage.ts";

function tellNames(stage: Stage, socket: Socket): void {
  stage.say("getsockname", stage.nameOf(socket.localName()));
  stage.say("getpeername", stage.nameOf(socket.remoteName()));
}

/** A socket with a source port of its own, whether or not it was used before. */
function bound(stage: Stage, from: number): Socket {
  const socket = stage.socket();
  socket.set(abi.SOL_SOCKET, more.SO_REUSEADDR);
  const outcome = socket.bind({ address: stage.here, port: from });
  if (outcome !== "ok") throw new Error(`cannot bind ${from}: ${outcome}`);
  return socket;
}

const bothNames: Scenario = {
  name: "names",
  title: "getsockname and getpeername on both sides",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    tellNames(stage, accepted);
    stage.meet();
    accepted.receive(1);
    stage.say("getpeername after the end", stage.nameOf(accepted.remoteName()));
  },
  client(stage) {
    stage.meet();
    const socket = stage.socket();
    stage.say("getpeername before connect", stage.nameOf(socket.remoteName()));
    socket.connect({ address: stage.there, port: stage.port });
    tellNames(stage, socket);
    stage.meet();
    socket.close();
  },
};

const samePort: Scenario = {
  name: "same-port",
  differences: [
    {
      in: ["replay"],
      lines: { "client: its port is: the same": "client: its port is: another" },
      why: "The client's kernel gives it another port than then; what the server told it is the recorded one.",
    },
  ],
  title: "the server sees the port that the client has",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    const name = accepted.remoteName();
    stage.say(
      "is told its own port",
      accepted.send(typeof name === "string" ? name : `${name.port}`),
    );
    accepted.close();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    const name = socket.localName();
    const told = socket.receive(5);
    stage.say(
      "its port is",
      typeof name !== "string" && told === `"${name.port}"` ? "the same" : "another",
    );
    stage.meet();
  },
};

const boundPort: Scenario = {
  name: "bound-port",
  title: "connect from a bound source port, to two ports",
  server(stage) {
    const listeners = [stage.listen(stage.port), stage.listen(stage.port + 1)];
    stage.meet();
    for (const listener of listeners) tellNames(stage, listener.accept());
    stage.meet();
  },
  client(stage) {
    stage.meet();
    for (const to of [stage.port, stage.port + 1]) {
      const socket = bound(stage, stage.sourcePort);
      stage.say("connect", socket.connect({ address: stage.there, port: to }));
      tellNames(stage, socket);
    }
    const again = bound(stage, stage.sourcePort);
    stage.say("the same pair twice", again.connect({ address: stage.there, port: stage.port }));
    stage.meet();
  },
};

/** Connects again and again with the same pair of ports; each connection ends as `end` has it. */
function samePair(
  name: string,
  title: string,
  end: { readonly server: (socket: Socket) => void; readonly client: (socket: Socket) => void },
): Scenario {
  const rounds = 5;
  return {
    name,
    title,
    server(stage) {
      const listener = stage.listen();
      for (let i = 0; i < rounds; i++) {
        stage.meet();
        if (stage.meet() === "n") continue;
        const accepted = listener.accept();
        stage.say("a connection from", stage.nameOf(accepted.remoteName()));
        stage.meet();
        end.server(accepted);
        stage.meet();
      }
    },
    client(stage) {
      for (let i = 0; i < rounds; i++) {
        stage.meet();
        const socket = bound(stage, stage.sourcePort);
        const outcome = socket.connect({ address: stage.there, port: stage.port });
        stage.say("connect", outcome);
        stage.meet(outcome === "ok" ? "y" : "n");
        if (outcome !== "ok") continue;
        stage.meet();
        end.client(socket);
        stage.meet();
      }
    },
  };
}

const reuse: readonly Scenario[] = [
  samePair("reuse-server", "the same port pair again, the server is in TIME_WAIT", {
    server: (socket) => {
      socket.shutdown();
      socket.receive(1);
      socket.close();
    },
    client: (socket) => {
      socket.receive(1);
      socket.close();
    },
  }),
  samePair("reuse-client", "the same port pair again, the client is in TIME_WAIT", {
    server: (socket) => {
      socket.receive(1);
      socket.close();
    },
    client: (socket) => {
      socket.shutdown();
      socket.receive(1);
      socket.close();
    },
  }),
  samePair("reuse-reset", "the same port pair again, after a reset", {
    server: (socket) => {
      socket.receive(1);
      socket.close();
    },
    client: (socket) => socket.reset(),
  }),
];

const selfConnection: Scenario = {
  name: "self",
  title: "a socket connected with itself, and with a listener of its own host",
  server: (stage) => stage.meet(),
  client(stage) {
    const self = { address: stage.here, port: stage.sourcePort };
    const socket = bound(stage, stage.sourcePort);
    stage.say("connect", socket.connect(self));
    tellNames(stage, socket);
    socket.send("echo");
    stage.say("received", socket.receive(4));
    const listener = stage.listen();
    const visitor = stage.socket();
    stage.say(
      "connect to a listener here",
      visitor.connect({ address: stage.here, port: stage.port }),
    );
    const accepted = listener.accept();
    tellNames(stage, accepted);
    visitor.send("hello");
    stage.say("received", accepted.receive(5));
    stage.meet();
  },
};

const dualStack: Scenario = {
  name: "dual-stack",
  title: "a listener on `::`, reached over either family",
  server(stage) {
    const listener = Socket.open(6);
    listener.set(abi.SOL_SOCKET, more.SO_REUSEADDR);
    stage.say("bind", listener.bind({ address: "::", port: stage.port }));
    listener.listen(16);
    stage.meet();
    const accepted = listener.accept();
    tellNames(stage, accepted);
    stage.say("received", accepted.receive(5));
    accepted.send("hello");
    listener.close();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    tellNames(stage, socket);
    socket.send("hello");
    stage.say("received", socket.receive(5));
    stage.meet();
  },
};

export const names: readonly Scenario[] = [
  bothNames,
  samePort,
  boundPort,
  ...reuse,
  selfConnection,
  dualStack,
];
