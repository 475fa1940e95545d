/** Socket options, and what of TCP they bring about. */
import { writeFileSync } from "node:fs";
import * as abi from "../../../../src/sys/abi.ts";
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import type { Socket } from "../sockets.ts";
import type { Stage } from "../stage.ts";
import { pattern, tell } from "../stream.ts";

/** Asks after a second of silence, twice. */
function keepAlive(socket: Socket): void {
  socket.set(abi.SOL_SOCKET, more.SO_KEEPALIVE);
  socket.set(abi.IPPROTO_TCP, more.TCP_KEEPIDLE, 1);
  socket.set(abi.IPPROTO_TCP, more.TCP_KEEPINTVL, 1);
  socket.set(abi.IPPROTO_TCP, more.TCP_KEEPCNT, 2);
}

const idle: Scenario = {
  name: "keepalive",
  title: "keep-alives on an idle connection",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    keepAlive(accepted);
    stage.say("poll, idle", accepted.poll(more.pollEvents.IN, 3000));
    accepted.send("still here");
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    keepAlive(socket);
    stage.say("received", socket.receive(10));
    stage.meet();
  },
};

const vanished: Scenario = {
  name: "vanished",
  differences: [
    {
      in: ["record", "replay"],
      lines: {
        "client: poll: IN ERR HUP": "client: poll: nothing",
        "client: SO_ERROR: ETIMEDOUT": "client: SO_ERROR: ok",
      },
      why: "Keep-alives are answered by the pipe space, not by the peer. A peer's kernel is there in a run unless its process makes it deaf.",
    },
  ],
  title: "keep-alives when the other host has vanished behind a firewall",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    accepted.deafen();
    stage.meet();
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.meet();
    keepAlive(socket);
    stage.say("poll", socket.poll(more.pollEvents.IN, 5000));
    stage.say("SO_ERROR", socket.takeError());
    stage.meet();
  },
};

const lostUrgent = "Urgent data is lost: the byte is neither passed on nor recorded.";

const urgent: Scenario = {
  name: "urgent",
  differences: [
    {
      in: ["record", "replay"],
      lines: {
        "server: poll: IN PRI": "server: poll: IN",
        'server: receive urgent: "!"': "server: receive urgent: EINVAL",
        "server: is at the mark: true": "server: is at the mark: false",
      },
      why: lostUrgent,
    },
  ],
  title: "urgent data (MSG_OOB)",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    stage.meet();
    stage.say("poll", accepted.poll(more.pollEvents.IN | more.pollEvents.PRI));
    stage.say("receive urgent", accepted.receive(1, more.MSG_OOB | abi.MSG_DONTWAIT));
    stage.say("received", accepted.receive(2));
    stage.say("is at the mark", accepted.isAtMark());
    stage.say("received", accepted.receive(2));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    socket.send("ab");
    stage.say("send urgent", socket.send("!", more.MSG_OOB));
    socket.send("cd");
    socket.shutdown();
    stage.meet();
    stage.meet();
  },
};

const urgentInline: Scenario = {
  name: "urgent-inline",
  differences: [
    {
      in: ["record", "replay"],
      lines: {
        'server: received: "ab"': 'server: received: "abc"',
        "server: is at the mark: true": "server: is at the mark: false",
        'server: received: "!cd"': 'server: received: "d"',
      },
      why: lostUrgent,
    },
  ],
  title: "urgent data in line (SO_OOBINLINE)",
  server(stage) {
    const listener = stage.listen();
    stage.meet();
    const accepted = listener.accept();
    accepted.set(abi.SOL_SOCKET, more.SO_OOBINLINE);
    stage.meet();
    stage.meet();
    // What is read stops at the mark (tcp_recvmsg_locked in the kernel's net/ipv4/tcp.c).
    stage.say("received", accepted.receive(3));
    stage.say("is at the mark", accepted.isAtMark());
    stage.say("received", accepted.receive(3));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.dial();
    stage.meet();
    socket.send("ab");
    stage.say("send urgent", socket.send("!", more.MSG_OOB));
    socket.send("cd");
    socket.shutdown();
    stage.meet();
    stage.meet();
  },
};

function exchange(stage: Stage, socket: Socket, isFirst: boolean): void {
  stage.say("TCP_MAXSEG", socket.get(abi.IPPROTO_TCP, more.TCP_MAXSEG));
  if (isFirst) socket.send(pattern(100_000));
  tell(stage, "received", socket.receiveRest(100_000));
  if (!isFirst) socket.send(pattern(100_000));
  stage.meet();
}

/** One end says how large its segments may be, and they exchange some. */
function segments(by: "server" | "client"): Scenario {
  const sizeBytes = 700;
  const other = by === "server" ? "client" : "server";
  return {
    name: `mss-${by}`,
    differences: ([4, 6] as const).map((family) => ({
      family,
      in: ["record", "replay"],
      lines: {
        [`${other}: TCP_MAXSEG: 688`]: `${other}: TCP_MAXSEG: ${family === 4 ? 1448 : 1428}`,
      },
      why: "Segment sizes are agreed with the pipe space, not with the peer.",
    })),
    title: `a TCP_MAXSEG of ${sizeBytes} bytes set by the ${by}`,
    server(stage) {
      const listener = stage.listen();
      if (by === "server") listener.set(abi.IPPROTO_TCP, more.TCP_MAXSEG, sizeBytes);
      stage.meet();
      exchange(stage, listener.accept(), true);
    },
    client(stage) {
      stage.meet();
      const socket = stage.socket();
      if (by === "client") socket.set(abi.IPPROTO_TCP, more.TCP_MAXSEG, sizeBytes);
      socket.connect({ address: stage.there, port: stage.port });
      exchange(stage, socket, false);
    },
  };
}

/**
 * The least that the kernel gives is 2304 bytes (SOCK_MIN_RCVBUF): less than two segments, and no
 * window scale.
 */
const smallWindow: Scenario = {
  name: "small-window",
  title: "the smallest SO_RCVBUF and SO_SNDBUF at both ends",
  server(stage) {
    const listener = stage.listen();
    makeSmall(listener);
    stage.meet();
    const accepted = listener.accept();
    tell(stage, "received", accepted.receiveRest(50_000));
    stage.say("send", accepted.send(pattern(50_000)));
    stage.meet();
  },
  client(stage) {
    stage.meet();
    const socket = stage.socket();
    makeSmall(socket);
    socket.connect({ address: stage.there, port: stage.port });
    stage.say("send", socket.send(pattern(50_000)));
    tell(stage, "received", socket.receiveRest(50_000));
    stage.meet();
  },
};

function makeSmall(socket: Socket): void {
  socket.set(abi.SOL_SOCKET, more.SO_RCVBUF);
  socket.set(abi.SOL_SOCKET, more.SO_SNDBUF);
}

const fastOpen: Scenario = {
  name: "fast-open",
  title: "TCP Fast Open, which the server's host has switched on",
  server(stage) {
    // Of the host's own network namespace; 3 is for clients and servers (ip-sysctl.rst).
    writeFileSync("/proc/sys/net/ipv4/tcp_fastopen", "3");
    const listener = stage.listen();
    listener.set(abi.IPPROTO_TCP, more.TCP_FASTOPEN, 16);
    stage.meet();
    for (let i = 0; i < 3; i++) {
      const accepted = listener.accept();
      stage.say("received", accepted.receive(5));
      accepted.send("hello");
      accepted.close();
    }
    stage.meet();
  },
  client(stage) {
    stage.meet();
    for (let i = 0; i < 3; i++) {
      const socket = stage.socket();
      stage.say(
        "send and connect",
        socket.sendOpening("early", { address: stage.there, port: stage.port }),
      );
      stage.say("received", socket.receive(5));
      socket.close();
    }
    stage.meet();
  },
};

export const options: readonly Scenario[] = [
  idle,
  vanished,
  urgent,
  urgentInline,
  segments("server"),
  segments("client"),
  smallWindow,
  fastOpen,
];
