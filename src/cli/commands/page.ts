/** Writes the page of a dump. */
import { chmodSync } from "node:fs";
import { renderPage, type ReplayFindings } from "../../api/page.ts";
import { writeReport } from "./report-file.ts";

/**
 * Writes the page of a dump and returns its length in bytes. Like the dump, only its owner may read
 * it. Throws a {@link UsageError} that names `option`, the source of the path.
 */
export function writePage(
  page: string,
  dump: string,
  option: string,
  findings?: ReplayFindings,
): number {
  const html = renderPage(dump, findings);
  writeReport(option, page, html, 0o600);
  // A file that already existed keeps its mode when it is opened.
  chmodSync(page, 0o600);
  return Buffer.byteLength(html);
}
