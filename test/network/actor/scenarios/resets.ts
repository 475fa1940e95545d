/** Connections that end by a reset. */
import * as more from "../abi.ts";
import type { Scenario } from "../scenario.ts";
import type { Socket } from "../sockets.ts";
import type { Stage } from "../stage.ts";

/** Some milliseconds' worth. */
const mostLooks = 10_000;

/** What a process can still do with a connection that was reset. */
function tellBroken(stage: Stage, socket: Socket): void {
  const { IN, OUT, RDHUP } = more.pollEvents;
  // The kernel notes the error first and the end of both directions a moment later, on any network
  // (tcp_reset in net/ipv4/tcp_input.c): who polls in between is told ERR alone.
  let state = socket.poll(IN | RDHUP);
  for (let looks = 0; state === "ERR" && looks < mostLooks; looks++)
    state = socket.poll(IN | RDHUP);
  stage.say("poll", state);
  stage.say("poll for all", socket.poll(IN | OUT | RDHUP));
  stage.say("receive", socket.receive(1));
  stage.say("receive again", socket.receive(1));
  stage.say("send", socket.send("x"));
  stage.say("getpeername", stage.nameOf(socket.remoteName()));
}

/** One scenario with the parts of the two ends as given, and one with them exchanged. */
function bothWays(
  name: string,
  title: string,
  active: (stage: Stage, socket: Socket) => void,
  passive: (stage: Stage, socket: Socket) => void,
): Scenario[] {
  return (["client", "server"] as const).map((by) => ({
    name: `${name}-${by}`,
    title: `${title}, by the ${by}`,
    server(stage) {
      const listener = stage.listen();
      stage.meet();
      const accepted = listener.accept();
      stage.meet();
      (by === "server" ? active : passive)(stage, accepted);
    },
    client(stage) {
      stage.meet();
      const socket = stage.dial();
      // Or the reset may come while connect still waits to be woken.
      stage.meet();
      (by === "client" ? active : passive)(stage, socket);
    },
  }));
}

export const resets: readonly Scenario[] = [
  ...bothWays(
    "linger",
    "SO_LINGER with a time of 0",
    (_stage, socket) => socket.reset(),
    tellBroken,
  ),
  ...bothWays(
    "linger-data",
    "bytes, and then SO_LINGER with a time of 0",
    (stage, socket) => {
      socket.send("hello");
      stage.meet();
      socket.reset();
    },
    (stage, socket) => {
      stage.say("received first", socket.receive(3));
      stage.meet();
      socket.poll(more.pollEvents.RDHUP);
      stage.say("received after the reset", socket.receive(2));
      tellBroken(stage, socket);
    },
  ),
  ...bothWays(
    "unread",
    "close with unread data",
    (_stage, socket) => {
      socket.send("answer");
      socket.poll(more.pollEvents.IN);
      socket.close();
    },
    (stage, socket) => {
      stage.say("received", socket.receive(6));
      stage.say("send", socket.send("never read"));
      tellBroken(stage, socket);
    },
  ),
  ...bothWays(
    "write-to-closed",
    "bytes for an end that was closed",
    (stage, socket) => {
      socket.close();
      stage.meet();
    },
    (stage, socket) => {
      stage.meet();
      stage.say("received", socket.receive(1));
      stage.say("send", socket.send("too late"));
      stage.say("poll", socket.poll(more.pollEvents.PRI));
      stage.say("send again", socket.send("x"));
      stage.say("receive", socket.receive(1));
    },
  ),
  ...bothWays(
    "reset-half-closed",
    "a reset after a half-close",
    (stage, socket) => {
      socket.shutdown();
      stage.meet();
      stage.meet();
      socket.reset();
    },
    (stage, socket) => {
      stage.say("received", socket.receive(1));
      stage.meet();
      stage.say("send", socket.send("still open"));
      stage.meet();
      stage.say("poll", socket.poll(more.pollEvents.PRI));
      stage.say("send after the reset", socket.send("x"));
      stage.say("receive", socket.receive(1));
    },
  ),
];
