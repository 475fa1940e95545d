import { expect, test } from "vitest";
import { Direction } from "../../../src/base/direction.ts";
import type { Port } from "../../../src/base/units.ts";
import { type Endpoint, RecordKind, type RunInfo } from "../../../src/dump/format/schema.ts";
import { DirectWriter } from "../../../src/dump/store/direct-writer.ts";
import { parseAddress } from "../../../src/net/address.ts";
import { decode, MemoryFile, pattern } from "./recording.ts";

const imported: RunInfo = {
  toolVersion: "0.1.0",
  subnets: [],
  host: "",
  kernel: "",
  hardware: "",
  startNs: 1_600_000_000_000_000_000n,
  notes: { captures: "a.pcap" },
  containers: [
    { name: "far", command: "", addresses: ["203.0.113.9"] },
    { name: "near", command: "", addresses: ["10.1.2.3", "10.1.2.4", "2001:db8::7"] },
  ],
};

function endpoint(container: number, address: string, port: number): Endpoint {
  return { container, address: parseAddress(address) as Uint8Array, port: port as Port };
}

test("containers keep addresses that follow from no subnet, and records say what is missing", () => {
  const file = new MemoryFile();
  const writer = new DirectWriter(file, imported);
  const near = endpoint(1, "10.1.2.4", 4000);
  const stream = writer.connect(4, near, endpoint(0, "203.0.113.9", 443), 5);
  writer.event(stream, RecordKind.accept, Direction.toClient, 6);
  writer.skip(stream, Direction.toServer, 1000);
  writer.data(stream, Direction.toServer, pattern(200_000, 3), 10, 150_000, 7);
  writer.skip(stream, Direction.toClient, 7);
  writer.event(stream, RecordKind.end, Direction.toClient, 8);
  writer.event(stream, RecordKind.end, Direction.toServer, 9);
  writer.close(imported.startNs + 10n, [{}, {}]);
  const { items, end } = decode(file.bytes, 5000);
  expect(end).toEqual({ complete: true, tornAt: undefined });
  expect(items[0]).toMatchObject({ run: imported });
  const streams = items.filter((item) => item.type === "stream");
  expect(
    streams.map(({ kind, streamOffset, missingBytes, direction }) => [
      kind,
      direction,
      streamOffset,
      missingBytes,
    ]),
  ).toEqual([
    [RecordKind.connect, 0, 0, 0],
    [RecordKind.accept, 1, 0, 0],
    [RecordKind.data, 0, 1000, 1000],
    [RecordKind.data, 0, 66_495, 0],
    [RecordKind.data, 0, 131_990, 0],
    [RecordKind.end, 1, 7, 7],
    [RecordKind.end, 0, 151_000, 0],
  ]);
  expect(streams[0]?.connection.client).toEqual(near);
});

test("an address that the container does not have is refused", () => {
  const file = new MemoryFile();
  const writer = new DirectWriter(file, imported);
  writer.connect(4, endpoint(1, "10.1.2.5", 1), endpoint(0, "203.0.113.9", 443), 5);
  writer.close(imported.startNs, [{}, {}]);
  expect(() => decode(file.bytes)).toThrow(/addresses that no containers have/);
});
