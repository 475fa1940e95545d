import { constants } from "node:os";
import { describe, expect, test } from "vitest";
import type { Port } from "../../src/base/units.ts";
import { close, send } from "../../src/sys/libc.ts";
import { isListening } from "../../src/sys/listening.ts";
import { allocateRegion } from "../../src/sys/memory.ts";
import { closeNamespace, currentNamespace } from "../../src/sys/namespace.ts";
import * as socket from "../../src/sys/socket.ts";
import { needs } from "../programs/machine.ts";
import { connectedPair, drain, endpoint, inOwnNetwork, listener, opened } from "./own-network.ts";

const { EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, ECONNRESET } = constants.errno;

describe("sockets", () => {
  needs();

  test.for([4, 6] as const)("IPv%i: who is accepted is known by address and port", (family) => {
    inOwnNetwork(() => {
      const host = family === 4 ? "127.0.0.1" : "::1";
      const listening = listener(family, 7000);
      expect(socket.accept(listening)).toEqual({ errorNumber: EAGAIN });
      const client = opened(socket.boundSocket(family, endpoint(host, 4711)));
      expect(socket.connect(client, endpoint(host, 7000))).toEqual({ state: "connected" });
      const server = opened(socket.accept(listening));
      expect(server).toBeGreaterThan(2);
      const peer = socket.acceptedPeer;
      expect(peer.port).toBe(4711);
      const { address } = endpoint(host, 0);
      const at = peer.addressAt(family);
      expect(peer.bytes.slice(at, at + address.length)).toEqual(address);
      for (const fd of [client, server, listening]) close(fd);
    });
  });

  test("over lo a refusal is known at once, and is an errno that is taken once", () => {
    inOwnNetwork(() => {
      const fd = opened(socket.boundSocket(4, endpoint("127.0.0.1", 0)));
      expect(socket.connect(fd, endpoint("127.0.0.1", 9))).toEqual({
        state: "failed",
        errorNumber: ECONNREFUSED,
      });
      expect(socket.takeError(fd)).toBe(0);
      close(fd);
    });
  });

  test("an address that is not ours cannot be bound", () => {
    inOwnNetwork(() => {
      expect(socket.boundSocket(4, endpoint("10.9.9.9", 80))).toEqual({
        errorNumber: EADDRNOTAVAIL,
      });
    });
  });

  test("a port on which one of ours listens can be bound again, and connected from", () => {
    inOwnNetwork(() => {
      const other = listener(4, 7001);
      const listening = listener(4, 7000);
      const client = opened(socket.boundSocket(4, endpoint("127.0.0.1", 7000)));
      expect(client).toBeGreaterThan(2);
      expect(socket.connect(client, endpoint("127.0.0.1", 7001))).toEqual({ state: "connected" });
      const server = opened(socket.accept(other));
      expect(socket.acceptedPeer.port).toBe(7000);
      for (const fd of [client, server, listening, other]) close(fd);
    });
  });
});

describe("a connection", () => {
  needs();

  test("closing with a reset is ECONNRESET to the other side", () => {
    inOwnNetwork(() => {
      const { client, server } = connectedPair();
      socket.closeWithReset(client);
      expect(drain(server)).toEqual({ bytes: 0, over: ECONNRESET });
      close(server);
    });
  });

  test("what the receiver has no room for is unsent", () => {
    inOwnNetwork(() => {
      const { client, server } = connectedPair();
      const chunk = allocateRegion(0x1_0000);
      expect(socket.unsentBytes(client)).toBe(0);
      let sent = 0;
      for (;;) {
        const count = send(client, chunk.address, chunk.bytes.length, 0);
        if (count < 0) break;
        sent += count;
      }
      const unsent = socket.unsentBytes(client);
      expect(unsent).toBeGreaterThan(0);
      expect(unsent).toBeLessThan(sent);
      for (const fd of [client, server]) close(fd);
    });
  });
});

describe("isListening", () => {
  needs();

  test.for([4, 6] as const)("IPv%i: tells who listens in a namespace", (family) => {
    inOwnNetwork(() => {
      const here = currentNamespace("net");
      const listening = listener(family, 7000);
      const other = family === 4 ? 6 : 4;
      expect(isListening(here, family, 7000 as Port)).toBe(true);
      expect(isListening(here, family, 7001 as Port)).toBe(false);
      expect(isListening(here, other, 7000 as Port)).toBe(false);
      close(listening);
      expect(isListening(here, family, 7000 as Port)).toBe(false);
      closeNamespace(here);
    });
  });
});
