/** A client of the demo's store: one request at a time. */
import { connect } from "node:net";
import { createInterface } from "node:readline";

export interface Store {
  /** Sends a request and returns the answer. */
  ask(request: string): Promise<string>;
  close(): void;
}

/** Connects to the store by the name of its container. */
export function connectToStore(): Store {
  const socket = connect({ host: "store", port: 7000, family: 4 });
  const lines = createInterface(socket)[Symbol.asyncIterator]();
  return {
    async ask(request) {
      socket.write(`${request}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error("the store has gone");
      return value;
    },
    close: () => socket.end(),
  };
}
