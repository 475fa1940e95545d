import * as fc from "fast-check";
import { expect, test } from "vitest";
import { DumpError } from "../../../src/base/errors.ts";
import { loadDump, payloadOf } from "../../../src/viewer/load.ts";
import { perform, Recording, smallRecording, step, type Told } from "../dump/recording.ts";

const blobOf = (recording: Recording): Blob => new Blob([recording.finish().bytes]);

/** What was recorded, as far as it is an event. */
function eventsOf({ told }: Recording): Told[] {
  return told.filter(({ type }) => type === "stream" || type === "packet");
}

test("each event is there, with its bytes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const recording = new Recording();
      for (const each of steps) perform(recording, each);
      const dump = await loadDump("t.dump", blobOf(recording));
      const events = eventsOf(recording);
      expect(dump.index.eventCount).toBe(events.length);
      for (const [event, told] of events.entries()) {
        expect(dump.index.timeNs(event)).toBe(told["atNs"]);
        const bytes = Buffer.from(await payloadOf(dump, event)).toString("hex");
        expect(bytes).toBe(told["payload"] ?? told["packet"]);
        expect(Buffer.from(await payloadOf(dump, event, 3)).toString("hex")).toBe(
          bytes.slice(0, 6),
        );
      }
    }),
    { numRuns: 50 },
  );
});

test("the run and its connections are summed up, and progress is told", async () => {
  const shares: number[] = [];
  const { summary } = await loadDump("t.dump", blobOf(smallRecording()), (share) =>
    shares.push(share),
  );
  expect(summary.run.containers.map(({ name }) => name)).toEqual(["server", "client", "scout"]);
  expect(summary.connections.map(({ ending }) => ending)).toEqual([
    "closed",
    "refused",
    "closed",
    "refused",
    "reset by client",
    "unanswered",
  ]);
  expect(summary.end.complete).toBe(true);
  expect(shares.at(-1)).toBe(1);
});

test("what is no dump, or damaged, is refused as everywhere", async () => {
  await expect(loadDump("some.txt", new Blob(["hello, this is a text"]))).rejects.toThrow(
    /some\.txt is not a plg dump/,
  );
  await expect(loadDump("none", new Blob([]))).rejects.toThrow(DumpError);
  const { bytes } = smallRecording().finish();
  bytes[bytes.length - 5000] = (bytes[bytes.length - 5000] as number) ^ 1;
  await expect(loadDump("t.dump", new Blob([bytes]))).rejects.toThrow(/t\.dump is damaged/);
});

test("a torn dump is shown as far as it goes", async () => {
  const { bytes } = smallRecording().finish();
  const { summary } = await loadDump("t.dump", new Blob([bytes.subarray(0, bytes.length - 4200)]));
  expect(summary.end.complete).toBe(false);
  expect(summary.totals.connections).toBeGreaterThan(0);
});
