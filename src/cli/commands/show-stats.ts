/** `plg show --stats`: bytes and latencies of each pair of containers. */
import { assert } from "../../base/assert.ts";
import { printable, printableJson } from "../../base/printable.ts";
import { readDump } from "../../dump/store/reader.ts";
import { PairFold, renderPairs } from "../../report/pair-stats.ts";

export function showStats(path: string, asJson: boolean): void {
  let fold: PairFold | undefined;
  for (const item of readDump(path))
    if (item.type === "run") fold = new PairFold(item.run);
    else if (item.type === "stream") fold?.add(item);
  assert(fold, "a dump begins with its run");
  const pairs = fold.report();
  const text = renderPairs(pairs).split("\n").map(printable).join("\n");
  process.stdout.write(asJson ? `${printableJson(pairs)}\n` : text);
}
