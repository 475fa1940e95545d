/** Scopes for tests: a network of their own, and TCP connections within it. */
import type { Family, Fd, Port } from "../../src/base/units.ts";
import { parseAddress } from "../../src/net/address.ts";
import { close, errno, recv } from "../../src/sys/libc.ts";
import { allocateRegion } from "../../src/sys/memory.ts";
import { inNewNamespaces } from "../../src/sys/namespace.ts";
import { setLinkUp } from "../../src/sys/interfaces.ts";
import * as socket from "../../src/sys/socket.ts";

/** Runs `body` in a new network namespace that has nothing but `lo`. */
export function inOwnNetwork(body: () => void): void {
  inNewNamespaces(["net"], () => {
    setLinkUp("lo");
    body();
  });
}

export function endpoint(address: string, port: number): socket.Endpoint {
  return { address: parseAddress(address) ?? new Uint8Array(), port: port as Port };
}

/** The descriptor; the test fails if there is none. */
export function opened({ fd }: socket.Opened): Fd {
  if (fd === undefined) throw new Error("there is no socket");
  return fd;
}

/** A socket that listens on this port, of `lo` or of another address that is local. */
export function listener(
  family: Family,
  port: number,
  address: string = family === 4 ? "127.0.0.1" : "::1",
): Fd {
  const fd = opened(socket.boundSocket(family, endpoint(address, port)));
  socket.listen(fd, 16);
  return fd;
}

/** Two connected sockets, non-blocking: over `lo` a connection is made within the call. */
export function connectedPair(port = 7000): { client: Fd; server: Fd } {
  const listening = listener(4, port);
  const client = opened(socket.boundSocket(4, endpoint("127.0.0.1", 0)));
  const { state } = socket.connect(client, endpoint("127.0.0.1", port));
  if (state !== "connected") throw new Error("no connection");
  const server = opened(socket.accept(listening));
  close(listening);
  return { client, server };
}

const incoming = allocateRegion(0x1_0000);

/** Reads what is there now. `over` is 0 at the end of the stream, an errno after an error. */
export function drain(fd: Fd): { bytes: number; over: number | undefined } {
  let bytes = 0;
  for (;;) {
    const count = recv(fd, incoming.address, incoming.bytes.length, 0);
    if (count <= 0) return { bytes, over: count === 0 ? 0 : errno() };
    bytes += count;
  }
}
