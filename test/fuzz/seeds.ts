/** Dumps to begin with: made by the recorder's own code, without the machine. */
import { Direction } from "../../src/base/direction.ts";
import { RecordKind } from "../../src/dump/format/schema.ts";
import { perform, Recording, smallRecording } from "../unit/dump/recording.ts";
import { conversations } from "../unit/protocol/conversations.ts";
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
  return recordings.map((recording) => recording.finish().bytes.slice(0, mostBytes));
}
