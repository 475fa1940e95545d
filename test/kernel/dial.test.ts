// A dial on real sockets. Over lo, as by the shortcut, the answer is there before the call is over.
import { expect, test } from "vitest";
import { type Fd, hostOf, type Port } from "../../src/base/units.ts";
import { Subnet } from "../../src/net/subnet.ts";
import type { Connection } from "../../src/pipe/core/connection.ts";
import { DialQueue } from "../../src/pipe/dial-queue.ts";
import { Dial, type DialHandler } from "../../src/pipe/dial.ts";
import { EAGAIN, ECONNREFUSED } from "../../src/sys/errno.ts";
import { close } from "../../src/sys/libc.ts";
import { Reactor } from "../../src/sys/reactor.ts";
import { addRoute } from "../../src/sys/routes.ts";
import * as socket from "../../src/sys/socket.ts";
import { needs } from "../programs/machine.ts";
import { inOwnNetwork, listener, opened } from "./own-network.ts";

needs();

const subnets = [Subnet.parse("10.0.0.0/24"), Subnet.parse("fd00::/64")];
const [client, server] = [1, 0];
const [clientPort, serverPort] = [4711 as Port, 80 as Port];

const isServedInOtherFamily = (): boolean => false;

function listen(subnet: Subnet): Fd {
  return listener(subnet.family, serverPort, subnet.addressOf(hostOf(server)));
}

/**
 * A dial in a network in which the whole subnet is local, as in the pipe space. What its handler
 * hears is noted.
 */
function withDial(
  subnet: Subnet,
  waitListenMs: number,
  body: (dial: Dial, heard: string[], reactor: Reactor) => void,
  isWanted = (): boolean => true,
): void {
  inOwnNetwork(() => {
    const { family, network, prefixBits } = subnet;
    addRoute({ kind: "local", network, prefixBits, interfaceName: "lo" });
    const reactor = new Reactor();
    const heard: string[] = [];
    const note = (what: string): void => {
      heard.push(what);
      reactor.stop();
    };
    const handler: DialHandler = {
      onConnected: (_, end) => {
        note("connected");
        end.close();
      },
      onSilent: () => note("silent"),
      onFailed: (_, error) => note(`failed ${error}`),
      onUnwanted: () => note("unwanted"),
    };
    const connection: Connection = { family, client, clientPort, server, serverPort };
    const options = {
      subnet,
      connection,
      queue: new DialQueue(reactor),
      isWanted,
      waitListenMs,
      linkMs: 0,
      isServedInOtherFamily,
      isBacklogFull: () => false,
    };
    body(new Dial(reactor, options, handler), heard, reactor);
  });
}

test.for(subnets)("%s: who listens accepts at once, and sees the true client", (subnet) => {
  withDial(subnet, 0, (dial, heard) => {
    const listening = listen(subnet);
    const fd = dial.start() as Fd;
    expect(fd).toBeGreaterThan(2);
    const accepted = opened(socket.accept(listening));
    const { acceptedPeer: peer } = socket;
    expect(peer.port).toBe(clientPort);
    expect(subnet.hostNumberAt(peer.bytes, peer.addressAt(subnet.family))).toBe(client + 1);
    expect(heard).toEqual([]);
    for (const each of [fd, accepted, listening]) close(each);
  });
});

test.for(subnets)("%s: who does not listen yet is asked again", (subnet) => {
  withDial(subnet, 5000, (dial, heard, reactor) => {
    expect(dial.start()).toBeUndefined();
    let listening: Fd | undefined;
    reactor.after(20, () => (listening = listen(subnet)));
    reactor.run();
    expect(heard).toEqual(["connected"]);
    if (listening !== undefined) close(listening);
  });
});

test.for(subnets)("%s: a refusal is told later, not by the call that meets it", (subnet) => {
  withDial(subnet, 0, (dial, heard, reactor) => {
    expect(dial.start()).toBeUndefined();
    expect(heard).toEqual([]);
    reactor.run();
    expect(heard).toEqual([`failed ${ECONNREFUSED}`]);
  });
});

test.for(subnets)("%s: a client that gave up is not dialed for", (subnet) => {
  withDial(
    subnet,
    5000,
    (dial, heard, reactor) => {
      expect(dial.start()).toBeUndefined();
      const listening = listen(subnet);
      reactor.run();
      expect(heard).toEqual(["unwanted"]);
      expect(socket.accept(listening)).toEqual({ errorNumber: EAGAIN });
      close(listening);
    },
    () => false,
  );
});
