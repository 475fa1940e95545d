/** The status line of a recording: its duration, its connections, and its data rate. */
import { formatBytes, formatDuration, formatRate, plural } from "../../base/text.ts";
import type { RecordSession } from "../../record/session.ts";

export function recordStatus(session: RecordSession): () => string {
  const startedMs = performance.now();
  let last = { bytes: 0, atMs: startedMs };
  return () => {
    const nowMs = performance.now();
    const { connections, openConnections, bytes } = session.counts();
    const rate = ((bytes - last.bytes) * 1000) / Math.max(1, nowMs - last.atMs);
    last = { bytes, atMs: nowMs };
    return [
      formatDuration(nowMs - startedMs),
      `${plural(connections, "connection")} (${openConnections} open)`,
      formatBytes(bytes),
      formatRate(rate),
    ].join("  ");
  };
}
