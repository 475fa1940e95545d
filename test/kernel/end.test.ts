// One end of a pipe on real sockets: what the kernel does not take waits, in order, and nothing is
// lost.
import { constants } from "node:os";
import { describe, expect, test } from "vitest";
import type { Fd } from "../../src/base/units.ts";
import { PipeSocket } from "../../src/pipe/pipe-socket.ts";
import { close, errno, recv, send } from "../../src/sys/libc.ts";
import { allocateRegion } from "../../src/sys/memory.ts";
import { mostPieces, Pieces } from "../../src/sys/pieces.ts";
import { Reactor } from "../../src/sys/reactor.ts";
import { closeWithReset } from "../../src/sys/socket.ts";
import { needs } from "../programs/machine.ts";
import { connectedPair, drain, inOwnNetwork } from "./own-network.ts";

const { ECONNRESET } = constants.errno;
const chunk = Pieces.whole(allocateRegion(0x1_0000));
const { address, bytes } = chunk.region;

/**
 * An end on one side of a connection, in a network of its own, and the bare socket of the other.
 */
function withEnd(body: (end: PipeSocket, peer: Fd, reactor: Reactor) => void): void {
  inOwnNetwork(() => {
    const { client, server } = connectedPair();
    const reactor = new Reactor();
    body(new PipeSocket(reactor, client, { onEndReady: () => {} }), server, reactor);
  });
}

/** Sends until something must wait; returns how much was given to the end. */
function fill(end: PipeSocket): number {
  let given = 0;
  while (!end.hasBacklog()) {
    expect(end.send(chunk, bytes.length)).toBe(true);
    given += bytes.length;
  }
  return given;
}

/** Runs the reactor while `look` says so, looking every few milliseconds. */
function runWhile(reactor: Reactor, look: () => boolean): void {
  const untilMs = performance.now() + 5000;
  const again = (): void => {
    if (look() && performance.now() < untilMs) reactor.after(2, again);
    else reactor.stop();
  };
  reactor.after(0, again);
  reactor.run();
}

describe("an end whose receiver is stuck", () => {
  needs();

  test("keeps what the kernel does not take, and sends it once there is room", () => {
    withEnd((end, peer, reactor) => {
      const given = fill(end);
      expect(() => end.send(chunk, 1)).toThrow("past a backlog");
      end.owner = { onEndReady: (ready) => void ready.flush() };
      let taken = 0;
      runWhile(reactor, () => {
        taken += drain(peer).bytes;
        return taken < given;
      });
      expect(taken).toBe(given);
      expect(end.hasBacklog()).toBe(false);
      end.close();
      close(peer);
    });
  });

  test("is told by flush that its receiver has gone", () => {
    withEnd((end, peer, reactor) => {
      fill(end);
      closeWithReset(peer);
      runWhile(reactor, () => !end.failed);
      expect(end.failed).toBe(true);
      expect(end.flush()).toBe(false);
      end.dropBacklog();
      expect(end.hasBacklog()).toBe(false);
      expect(end.flush()).toBe(true);
      end.close();
    });
  });

  test("waits with a reset for what was sent before, and for no receiver for ever", () => {
    withEnd((end, peer, reactor) => {
      const given = fill(end);
      let taken = 0;
      let isReset = false;
      end.resetOnceSent(() => (isReset = true));
      runWhile(reactor, () => {
        if (!isReset) taken += drain(peer).bytes;
        return !isReset;
      });
      const rest = drain(peer);
      expect(taken + rest.bytes).toBe(given);
      expect(rest.over).toBe(ECONNRESET);
      close(peer);
    });
    withEnd((end, peer, reactor) => {
      fill(end);
      const startedMs = performance.now();
      let isReset = false;
      end.resetOnceSent(() => (isReset = true));
      runWhile(reactor, () => !isReset);
      expect(isReset).toBe(true);
      expect(performance.now() - startedMs).toBeLessThan(4000);
      close(peer);
    });
  });
});

/** Many pieces with zeros between them, and what they hold, of which no byte is zero. */
function manyPieces(): { pieces: Pieces; content: Uint8Array } {
  const pieces = new Pieces(allocateRegion(mostPieces * 0x1_0000));
  pieces.layOut(5, 60_001, 0x1_0000, mostPieces);
  const content = Uint8Array.from({ length: pieces.capacityBytes }, (_, at) => 1 + (at % 255));
  for (let i = 0; i < mostPieces; i++)
    pieces.region.bytes.set(content.subarray(i * 60_001, (i + 1) * 60_001), 5 + i * 0x1_0000);
  return { pieces, content };
}

/**
 * Reads what is there now, which goes on at `offset` of a content that is repeated. Returns how
 * much it was.
 */
function readExpected(peer: Fd, content: Uint8Array, offset: number): number {
  let taken = 0;
  for (;;) {
    const count = recv(peer, address, bytes.length, 0);
    if (count <= 0) return taken;
    for (let i = 0; i < count; i++, taken++)
      if (bytes[i] !== content[(offset + taken) % content.length])
        throw new Error(`byte ${offset + taken} differs`);
  }
}

describe("an end that sends many pieces", () => {
  needs();

  test("keeps their content in its order, and nothing from between them", () => {
    withEnd((end, peer, reactor) => {
      const { pieces, content } = manyPieces();
      let given = 0;
      for (; !end.hasBacklog(); given += content.length)
        expect(end.send(pieces, content.length)).toBe(true);
      pieces.region.bytes.fill(0);
      end.owner = { onEndReady: (ready) => void ready.flush() };
      let taken = 0;
      runWhile(reactor, () => {
        taken += readExpected(peer, content, taken);
        return taken < given;
      });
      expect(taken).toBe(given);
      end.close();
      close(peer);
    });
  });
});

describe("an end that receives", () => {
  needs();

  test("remembers that there is something to read, up to the end of the stream", () => {
    withEnd((end, peer, reactor) => {
      const heard: (number | string)[] = [];
      send(peer, address, 1000, 0);
      close(peer);
      end.owner = {
        onEndReady: () => {
          while (end.readable) {
            const received = end.receive(chunk);
            if (received === "bytes") heard.push(end.receivedBytes);
            else if (received !== "nothing") heard.push(received);
          }
        },
      };
      runWhile(reactor, () => heard.at(-1) !== "end");
      expect(heard).toEqual([1000, "end"]);
      end.close();
    });
  });

  test("hears of a reset after what came before it", () => {
    withEnd((end, peer, reactor) => {
      closeWithReset(peer);
      runWhile(reactor, () => !end.failed);
      expect(end.failed).toBe(true);
      expect(end.receive(chunk)).toBe("reset");
      expect(errno()).toBe(ECONNRESET);
      end.close();
    });
  });
});
