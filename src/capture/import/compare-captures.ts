/** Reads several captures one by one and compares their clocks and sequence numbers. */
import { align, type Alignment } from "../align/alignment.ts";
import { Timeline } from "../align/timeline.ts";
import { HostTable } from "../track/hosts.ts";
import { Importer } from "../track/importer.ts";
import { CaptureFile } from "./capture-file.ts";
import type { CaptureSource } from "./capture-source.ts";
import { MergedCaptures } from "./merged-captures.ts";
import { Survey } from "./survey.ts";

/** The parameters of all passes over the captures. */
export interface Captures {
  readonly sources: readonly CaptureSource[];
  /** The origin of times: the second of the first packet in the first capture that has one. */
  readonly epochSeconds: number;
  readonly hosts: HostTable;
  readonly alignment: Alignment;
}

/** A single capture is read only up to its first packet. */
export async function compareCaptures(sources: readonly CaptureSource[]): Promise<Captures> {
  const hosts = new HostTable();
  const epochSeconds = await firstSeconds(sources);
  if (sources.length === 1)
    return { sources, epochSeconds, hosts, alignment: align([new Timeline()]) };
  const timelines: Timeline[] = [];
  for (const source of sources) timelines.push(await timelineOf(source, epochSeconds, hosts));
  return { sources, epochSeconds, hosts, alignment: align(timelines) };
}

async function timelineOf(
  source: CaptureSource,
  epochSeconds: number,
  hosts: HostTable,
): Promise<Timeline> {
  const file = new CaptureFile(source);
  const timeline = new Timeline();
  try {
    const importer = new Importer(new Survey(), { hosts, tcp: timeline });
    const packets = new MergedCaptures([file], epochSeconds, []);
    await packets.each((packet, atNs) => importer.add(packet, atNs));
    file.end();
    return timeline;
  } finally {
    await file.close();
  }
}

async function firstSeconds(sources: readonly CaptureSource[]): Promise<number> {
  for (const source of sources) {
    const file = new CaptureFile(source);
    try {
      let packet = file.next();
      while (packet === undefined && (await file.fill())) packet = file.next();
      if (packet !== undefined) return packet.seconds;
    } finally {
      await file.close();
    }
  }
  return 0;
}
