/** Reads several captures one by one and compares their clocks and sequence numbers. */
import { align, type Alignment } from "../align/alignment.ts";
import { Timeline } from "../align/timeline.ts";
import { HostTable } from "../track/hosts.ts";
import { Importer } from "../track/importer.ts";
import { CaptureFile } from "./capture-file.ts";
import { MergedCaptures } from "./merged-captures.ts";
import { Survey } from "./survey.ts";

/** The parameters of all passes over the captures. */
export interface Captures {
  /** The origin of times: the second of the first packet in the first capture that has one. */
  readonly epochSeconds: number;
  readonly hosts: HostTable;
  readonly alignment: Alignment;
}

/** A single capture is read only up to its first packet. */
export async function compareCaptures(paths: readonly string[]): Promise<Captures> {
  const hosts = new HostTable();
  const epochSeconds = await firstSeconds(paths);
  if (paths.length === 1) return { epochSeconds, hosts, alignment: align([new Timeline()]) };
  const timelines: Timeline[] = [];
  for (const path of paths) timelines.push(await timelineOf(path, epochSeconds, hosts));
  return { epochSeconds, hosts, alignment: align(timelines) };
}

async function timelineOf(path: string, epochSeconds: number, hosts: HostTable): Promise<Timeline> {
  const file = new CaptureFile(path);
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

async function firstSeconds(paths: readonly string[]): Promise<number> {
  for (const path of paths) {
    const file = new CaptureFile(path);
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
