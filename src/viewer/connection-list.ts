/** The table of connections, each with a bar that shows its time. */
import type { ConnectionNumber } from "../base/ids.ts";
import { formatBytes } from "../base/text.ts";
import type { ConnectionRow } from "../report/connections.ts";
import { timeLabel } from "../report/events.ts";
import { button, element, hueOf } from "./dom.ts";
import type { LoadedDump } from "./load.ts";
import { VirtualList } from "./virtual-list.ts";

interface Column {
  readonly title: string;
  readonly text: (row: ConnectionRow) => string;
  readonly order: (row: ConnectionRow) => number | string;
}

const columns: readonly Column[] = [
  { title: "#", text: ({ number }) => String(number), order: ({ number }) => number },
  {
    title: "client",
    text: ({ client, clientPort }) => `${client}:${clientPort}`,
    order: ({ client }) => client,
  },
  {
    title: "server",
    text: ({ server, serverPort }) => `${server}:${serverPort}`,
    order: ({ server, serverPort }) => `${server}:${String(serverPort).padStart(5, "0")}`,
  },
  { title: "start", text: ({ startNs }) => timeLabel(startNs), order: ({ startNs }) => startNs },
  {
    title: "lasted",
    text: ({ durationNs }) => timeLabel(durationNs),
    order: ({ durationNs }) => durationNs,
  },
  {
    title: "sent",
    text: ({ bytesToServer }) => formatBytes(bytesToServer),
    order: ({ bytesToServer }) => bytesToServer,
  },
  {
    title: "received",
    text: ({ bytesToClient }) => formatBytes(bytesToClient),
    order: ({ bytesToClient }) => bytesToClient,
  },
  { title: "ended", text: ({ ending }) => ending, order: ({ ending }) => ending },
];

export class ConnectionList {
  readonly root: HTMLElement;
  readonly #dump: LoadedDump;
  readonly #onChoose: (connection: ConnectionNumber) => void;
  readonly #list: VirtualList;
  #rows: readonly ConnectionRow[] = [];
  #order: { readonly column: Column; readonly descending: boolean } | undefined;
  #chosen: number | undefined;

  /** `onChoose` receives the connection that was clicked. */
  constructor(dump: LoadedDump, onChoose: (connection: ConnectionNumber) => void) {
    this.#dump = dump;
    this.#onChoose = onChoose;
    const titles = columns.map((column) => button(column.title, () => this.#sortBy(column)));
    const head = element("div", "head connection-row", ...titles, element("div", "", "when"));
    this.#list = new VirtualList(head, (row) => this.#row(row));
    this.root = this.#list.root;
  }

  /** Shows only these connections. */
  show(connections: ReadonlySet<number>): void {
    this.#rows = this.#dump.summary.connections.filter(({ number }) => connections.has(number));
    this.#sort();
  }

  choose(connection: ConnectionNumber | undefined): void {
    this.#chosen = connection;
    const row = this.#rows.findIndex(({ number }) => number === connection);
    if (row >= 0) this.#list.reveal(row);
    this.#list.refresh();
  }

  /** Sorting by the same column again reverses the order. */
  #sortBy(column: Column): void {
    const descending = this.#order?.column === column && !this.#order.descending;
    this.#order = { column, descending };
    this.#sort();
  }

  #sort(): void {
    if (this.#order) {
      const { column, descending } = this.#order;
      const sign = descending ? -1 : 1;
      this.#rows = this.#rows.toSorted((a, b) => {
        const [left, right] = [column.order(a), column.order(b)];
        return left < right ? -sign : left > right ? sign : a.number - b.number;
      });
    }
    this.#list.setCount(this.#rows.length);
  }

  #row(at: number): HTMLElement {
    const row = this.#rows[at] as ConnectionRow;
    const cells = columns.map(({ text }) => element("div", "", text(row)));
    const mark = row.number === this.#chosen ? " chosen" : "";
    const made = element("div", `connection-row${mark}`, ...cells, this.#bar(row));
    made.style.setProperty("--hue", hueOf(row.number));
    made.dataset["connection"] = String(row.number);
    made.addEventListener("click", () => this.#onChoose(row.number));
    return made;
  }

  #bar({ startNs, durationNs, ending }: ConnectionRow): HTMLElement {
    const wholeNs = Math.max(1, this.#dump.summary.durationNs);
    const bar = element("div", `bar ${ending.replaceAll(" ", "-")}`);
    bar.style.left = `${(100 * startNs) / wholeNs}%`;
    bar.style.width = `${(100 * durationNs) / wholeNs}%`;
    return element("div", "bars", bar);
  }
}
