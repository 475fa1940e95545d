import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Direction, opposite } from "../../../src/base/direction.ts";
import {
  connectionOf,
  type ContainerIndex,
  endOf,
  type EndId,
  endsUpTo,
  type EventNumber,
  noEnd,
  noEvent,
  peerOf,
} from "../../../src/base/ids.ts";

const connections = fc.integer({ min: 1, max: 2 ** 29 });
const directions = fc.constantFrom(Direction.toServer, Direction.toClient);

test("an end knows its connection and its peer", () => {
  fc.assert(
    fc.property(connections, directions, (connection, direction) => {
      const end = endOf(connection, direction);
      expect(connectionOf(end)).toBe(connection);
      expect(peerOf(end)).toBe(endOf(connection, opposite(direction)));
      expect(peerOf(peerOf(end))).toBe(end);
      expect(end).toBeLessThan(endsUpTo(connection));
    }),
  );
});

test("what stands for none is no end and no event", () => {
  expect(noEnd).toBeLessThan(endOf(0, Direction.toServer));
  expect(noEvent).toBeLessThan(0);
});

test("the compiler takes no kind of number for another", () => {
  const container: ContainerIndex = 3;
  // @ts-expect-error -- a container is no event
  const event: EventNumber = container;
  // @ts-expect-error -- only endOf makes an end
  const end: EndId = 3;
  const count: number = container;
  const another: EventNumber = count + 1;
  expect([event, end, another]).toEqual([3, 3, 4]);
});
