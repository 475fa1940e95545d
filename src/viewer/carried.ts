/** The dump that a page carries: gzipped, in base64, in a script element that is none (`dumpElement` in cli/page.ts). */

export interface CarriedDump {
  readonly name: string;
  /** Undefined if the page carries the name alone. */
  readonly bytes: Blob | undefined;
}

export async function carriedDump(): Promise<CarriedDump> {
  const holder = document.querySelector("#dump");
  const text = holder?.textContent ?? "";
  const name = holder?.getAttribute("data-name") ?? "one";
  holder?.remove();
  if (text === "") return { name, bytes: undefined };
  const packed = new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]);
  const unpacked = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return { name, bytes: await new Response(unpacked).blob() };
}
