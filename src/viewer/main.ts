/**
 * The page that `plg view` writes. It shows the dump that it carries, or one that the user opens.
 * It sends and fetches nothing.
 */
import { button, element } from "./dom.ts";
import { carriedDifferences, carriedDump } from "./carried.ts";
import { loadDump } from "./load.ts";
import { Viewer } from "./viewer.ts";

// The index uses shared memory, which browsers deny to pages like this one. A page has one thread,
// so ordinary memory will do.
globalThis.SharedArrayBuffer ??= ArrayBuffer as unknown as SharedArrayBufferConstructor;

/** Loads a dump and shows it, or explains why that failed. */
async function open(name: string, bytes: Blob, keys?: string): Promise<void> {
  const progress = element("p", "hint", `reading ${name}`);
  document.body.replaceChildren(progress);
  try {
    const dump = await loadDump(name, bytes, (share) => {
      progress.textContent = `reading ${name}: ${Math.floor(100 * share)} %`;
    });
    // The differences apply to one recording only.
    const isTheirs = String(dump.summary.run.startNs) === differences?.startNs;
    const viewer = new Viewer(dump, { differences: isTheirs ? differences : undefined, keys });
    document.body.replaceChildren(viewer.root);
    document.title = `${name} \u2013 plg`;
  } catch (error) {
    askFor((error as Error).message);
  }
}

/** Lets the user choose a dump. */
function askFor(message: string): void {
  const chooser = document.createElement("input");
  chooser.type = "file";
  chooser.addEventListener("change", () => openFirst(chooser.files));
  document.body.replaceChildren(
    element(
      "div",
      "ask",
      element("p", "", message),
      button("choose a dump", () => chooser.click()),
    ),
    chooser,
  );
  chooser.hidden = true;
}

function openFirst(files: FileList | null | undefined): void {
  const file = files?.[0];
  if (file) void open(file.name, file);
}

// A file that was moved or changed since can no longer be read.
addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  askFor(`The dump cannot be read any more (${(event.reason as Error).message}). Choose it again.`);
});

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  openFirst(event.dataTransfer?.files);
});

const differences = await carriedDifferences();
const carried = await carriedDump();
if (carried.bytes) await open(carried.name, carried.bytes, carried.keys);
else
  askFor(
    `This page shows dumps of plg, and carries none. Choose ${carried.name}, or drop it here.`,
  );
