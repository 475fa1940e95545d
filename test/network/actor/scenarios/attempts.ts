/** Connections that do not come about, or late. */
import * as abi from "../../../../src/sys/abi.ts";
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import type { Socket } from "../sockets.ts";
import type { Stage } from "../stage.ts";

/** A socket that sends its SYN twice, and gives up some seconds later. */
function impatient(stage: Stage): Socket {
  const socket = stage.socket();
  socket.set(abi.IPPROTO_TCP, more.TCP_SYNCNT, 1);
  return socket;
}

const refused: Scenario = {
  name: "refused",
  title: "nobody listens on the port",
  server: (stage) => stage.meet(),
  client(stage) {
    const remote = { address: stage.there, port: stage.port };
    const socket = stage.socket();
    stage.say("connect", socket.connect(remote));
    stage.say("connect again", socket.connect(remote));
    const late = stage.nonBlocking();
    stage.say("connect without waiting", late.connect(remote));
    stage.say("poll", late.poll(more.pollEvents.OUT));
    stage.say("SO_ERROR", late.takeError());
    stage.meet();
  },
};

const noHost: Scenario = {
  name: "no-host",
  title: "no host has the address",
  server: (stage) => stage.meet(),
  client(stage) {
    stage.say("connect", stage.socket().connect({ address: stage.nobody, port: stage.port }));
    stage.meet();
  },
};

const noRoute: Scenario = {
  name: "no-route",
  title: "an address outside the subnet",
  server: (stage) => stage.meet(),
  client(stage) {
    const address = stage.family === 4 ? "192.0.2.1" : "2001:db8::1";
    stage.say("connect", stage.socket().connect({ address, port: stage.port }));
    stage.meet();
  },
};

const silent: Scenario = {
  name: "silent",
  title: "a host that drops SYNs",
  server(stage) {
    stage.listen().deafen();
    stage.meet();
    stage.meet();
    // In a replay the SYN comes right before what follows it, and must find the listener.
    stage.hold(300);
  },
  client(stage) {
    stage.meet();
    stage.say("connect", impatient(stage).connect({ address: stage.there, port: stage.port }));
    stage.meet();
  },
};

const lateAnswer: Scenario = {
  name: "late-answer",
  title: "a SYN that is answered only when it is sent again",
  server(stage) {
    const listener = stage.listen();
    listener.deafen();
    stage.meet();
    stage.meet();
    listener.hear();
    const accepted = listener.accept();
    stage.say("received", accepted.receive(4));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.nonBlocking();
    stage.say(
      "connect without waiting",
      socket.connect({ address: stage.there, port: stage.port }),
    );
    stage.say("poll", socket.poll(more.pollEvents.OUT, 300));
    stage.meet();
    stage.say("poll", socket.poll(more.pollEvents.OUT));
    stage.say("SO_ERROR", socket.takeError());
    socket.send("late");
    stage.meet();
  },
};

const abandoned: Scenario = {
  name: "abandoned",
  title: "an attempt that its client gave up before it was answered",
  server(stage) {
    const listener = stage.listen();
    listener.deafen();
    stage.meet();
    stage.meet();
    // What was sent before the client gave up has come by then.
    stage.hold(1200);
    listener.hear();
    stage.say("a connection", listener.poll(more.pollEvents.IN, 2500));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.nonBlocking();
    socket.connect({ address: stage.there, port: stage.port });
    stage.say("poll", socket.poll(more.pollEvents.OUT, 300));
    socket.close();
    stage.meet();
    stage.meet();
  },
};

const fullBacklog: Scenario = {
  name: "full-backlog",
  title: "a listener whose backlog is full, and that accepts later",
  server(stage) {
    // A backlog of 0 has room for one connection (sk_acceptq_is_full in the kernel's
    // include/net/sock.h).
    const listener = stage.listen(stage.port, 0);
    stage.meet();
    stage.meet();
    stage.say("first", listener.accept().receive(5));
    stage.say("second", listener.accept().receive(5));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const remote = { address: stage.there, port: stage.port };
    const first = stage.socket();
    stage.say("connect", first.connect(remote));
    stage.say("connect, the backlog is full", impatient(stage).connect(remote));
    const second = stage.nonBlocking();
    second.connect(remote);
    stage.say("poll", second.poll(more.pollEvents.OUT, 300));
    stage.meet();
    first.send("early");
    stage.say("poll, the listener accepts", second.poll(more.pollEvents.OUT));
    stage.say("SO_ERROR", second.takeError());
    second.send("later");
    stage.meet();
  },
};

const neverAccepted: Scenario = {
  name: "never-accepted",
  title: "a listener closed before it accepted",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    stage.meet();
    listener.close();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.say("send", socket.send("hello"));
    stage.meet();
    stage.say("receive", socket.receive(1));
    stage.say(
      "connect, nobody listens any more",
      stage.socket().connect({ address: stage.there, port: stage.port }),
    );
    stage.meet();
  },
};

export const attempts: readonly Scenario[] = [
  refused,
  noHost,
  noRoute,
  silent,
  lateAnswer,
  abandoned,
  fullBacklog,
  neverAccepted,
];
