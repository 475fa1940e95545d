/**
 * What a page carries: gzipped, in base64, in script elements that are none (`carriedPart` in
 * api/page.ts).
 */
import type { CarriedDifferences } from "../report/carried.ts";

export interface CarriedDump {
  readonly name: string;
  /** Undefined if the page carries only the dump's name. */
  readonly bytes: Blob | undefined;
  /** The name of the file with the run's TLS keys, if there was one. */
  readonly keys: string | undefined;
}

export async function carriedDump(): Promise<CarriedDump> {
  const holder = document.querySelector("#dump");
  const name = holder?.getAttribute("data-name") ?? "one";
  const keys = holder?.getAttribute("data-keys") ?? undefined;
  return { name, keys, bytes: await unpacked(holder) };
}

/** The result of a replay, if the page shows one. */
export async function carriedDifferences(): Promise<CarriedDifferences | undefined> {
  const json = await unpacked(document.querySelector("#differences"));
  return json && (JSON.parse(await json.text()) as CarriedDifferences);
}

async function unpacked(holder: Element | null): Promise<Blob | undefined> {
  const text = holder?.textContent ?? "";
  holder?.remove();
  if (text === "") return undefined;
  const packed = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const stream = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).blob();
}
