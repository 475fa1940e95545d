// What is said of an event: its label, its caption, and the plot over time.
import { expect, test } from "vitest";
import { activityOf } from "../../../src/viewer/activity.ts";
import { Captions } from "../../../src/viewer/captions.ts";
import { packetLabel } from "../../../src/report/events.ts";
import { labelOf } from "../../../src/viewer/labels.ts";
import { loadDump } from "../../../src/viewer/load.ts";
import { pattern, smallRecording } from "../dump/recording.ts";

const dump = await loadDump("t.dump", new Blob([smallRecording().finish().bytes]));
const { index } = dump;
const all = Uint32Array.from({ length: index.eventCount }, (_, event) => event);

test("events have labels, and captions of what they carry", async () => {
  const captions = new Captions(dump);
  const said = await Promise.all(
    [...all.subarray(0, 8)].map(async (event) => [labelOf(index, event), await captions.of(event)]),
  );
  expect(said.map(([label]) => label)).toEqual([
    "connects to port 80",
    "accepts",
    "13 B",
    "301 B",
    "ends its direction",
    "ends its direction",
    "connects to port 80",
    "refuses",
  ]);
  expect(said.map(([, caption]) => caption?.slice(0, 20))).toEqual([
    "",
    "",
    "hello, server",
    expect.stringMatching(/^.{20}$/u),
    "",
    "",
    "",
    "",
  ]);
});

/** An IPv4 packet of this protocol whose payload begins with two ports. */
function ipv4(protocol: number, fragment = 0): Uint8Array {
  const header = [0x45, 0, 0, 28, 0, 0, fragment >> 8, fragment & 0xff, 64, protocol, 0, 0];
  return Uint8Array.from([...header, 10, 0, 0, 1, 10, 0, 0, 2, 0x14, 0xe9, 0, 53, 0, 8, 0, 0]);
}

test.each([
  [ipv4(17), "UDP 5353 \u2192 53"],
  [ipv4(17, 3), "UDP, a fragment"],
  [ipv4(1), "ICMP"],
  [ipv4(47), "IP protocol 47"],
  [ipv4(17).subarray(0, 27), "malformed"],
  [pattern(3, 1), "malformed"],
])("a packet is told by its headers (%#)", (packet, label) => {
  expect(packetLabel(packet)).toBe(label);
});

test("the plot has each event and each byte once, wherever they are in time", () => {
  let bytes = 0;
  for (const event of all) bytes += index.lengthBytes(event);
  for (const parts of [1, 2, 7, 1000]) {
    const activity = activityOf(dump, all, parts);
    expect(activity.events.reduce((a, b) => a + b, 0)).toBe(all.length);
    expect(activity.bytes.reduce((a, b) => a + b, 0)).toBe(bytes);
  }
  const halves = activityOf(dump, all, 2);
  const late = [...all].filter((event) => index.timeNs(event) >= dump.summary.durationNs / 2);
  expect(halves.events[1]).toBe(late.length);
});
