/** Dumps to begin with: made by the recorder's own code, without the machine. */
import { Direction } from "../../src/base/direction.ts";
import { RecordKind } from "../../src/dump/format/schema.ts";
import { perform, Recording, smallRecording } from "../unit/dump/recording.ts";
import { conversations } from "../unit/protocol/conversations.ts";
import { ethernet, ipv4, pcapFile, PcapngFile, tcp, udp } from "../unit/capture/packets.ts";
import { random } from "./random.ts";
import { mostBytes } from "./shared.ts";

const madeUp = 12;

/** A connection for each protocol that is decoded. */
function protocols(): Recording {
  const recording = new Recording();
  for (const { pieces } of conversations) {
    const stream = recording.connect(4, 1, 0);
    recording.event(stream, RecordKind.accept, Direction.toClient);
    for (const [side, bytes] of pieces)
      recording.data(stream, side === ">" ? Direction.toServer : Direction.toClient, bytes);
  }
  return recording;
}

/** Captures of either format, with a hole, a tunnel and a fragment in them. */
function captures(): Uint8Array[] {
  const client = { fromPort: 4711, toPort: 80 };
  const server = { from: "10.0.0.2", to: "10.0.0.1", fromPort: 80, toPort: 4711 };
  const payload = Buffer.from("some bytes");
  const packets = [
    tcp({ ...client, sequence: 100, flags: 2 }),
    tcp({ ...server, sequence: 500, acknowledgment: 101, flags: 0x12 }),
    tcp({ ...client, sequence: 101, acknowledgment: 501, payload }),
    tcp({ ...client, sequence: 131, acknowledgment: 501, payload }),
    tcp({ ...server, sequence: 501, acknowledgment: 141, payload }),
    ipv4("10.0.0.1", "10.0.0.2", 6, payload, { fragment: 0x2000 }),
    ipv4("10.0.0.1", "10.0.0.2", 17, udp(1000, 53, payload)),
    tcp({ ...client, sequence: 141, acknowledgment: 511, flags: 0x11 }),
    tcp({ ...server, sequence: 511, acknowledgment: 142, flags: 0x14 }),
  ].map((packet) => ethernet(packet));
  const frames = packets.map((bytes, i) => ({ bytes, atNs: BigInt(i) * 50_000_000n }));
  const pcapng = new PcapngFile(false).interface(1);
  for (const [i, bytes] of packets.entries()) pcapng.packet(0, BigInt(i), bytes);
  pcapng.name(Uint8Array.of(10, 0, 0, 1), "host").tlsKeys("KEY");
  return [pcapFile(frames), pcapFile(frames, { littleEndian: false }), pcapng.bytes];
}

/** A small dump with everything in it, one with nothing, protocols, and some of random events. */
export function makeSeeds(seed: number): Uint8Array[] {
  const choose = random(seed);
  const recordings = [smallRecording(), new Recording(), protocols()];
  for (let i = 0; i < madeUp; i++) {
    const recording = new Recording();
    for (let left = 1 + choose(60); left > 0; left--)
      perform(recording, {
        what: choose(11),
        which: choose(1000),
        length: 1 + choose(40),
        gap: choose(2 ** 20),
      });
    recordings.push(recording);
  }
  const dumps = recordings.map((recording) => recording.finish().bytes);
  return [...dumps, ...captures()].map((bytes) => bytes.slice(0, mostBytes));
}
