/** A dump on the page: the filter and the chosen event determine what it shows. */
import type { EventNumber } from "../base/ids.ts";
import { formatBytes, plural } from "../base/text.ts";
import type { CarriedDifferences } from "../report/carried.ts";
import type { RecordingIndex } from "../recording/recording.ts";
import { renderRun } from "../report/summary.ts";
import { ActivityPlot } from "./activity-plot.ts";
import { ConnectionList } from "./connection-list.ts";
import { Conversation } from "./conversation.ts";
import { DifferenceCards } from "./difference-cards.ts";
import { describeKeys } from "../report/tls-keys.ts";
import { eventOf } from "../replay/findings/divergence.ts";
import { button, element } from "./dom.ts";
import { eventsThatPass, parseFilter } from "./filter.ts";
import { labelOf } from "./labels.ts";
import type { LoadedDump } from "./load.ts";
import { SequenceView } from "./sequence.ts";

const tabs = ["differences", "sequence", "connections"] as const;
type Tab = (typeof tabs)[number];

export class Viewer {
  readonly root: HTMLElement;
  readonly #dump: LoadedDump;
  readonly #sequence: SequenceView;
  readonly #connections: ConnectionList;
  readonly #activity: ActivityPlot;
  readonly #conversation: Conversation;
  readonly #differences: DifferenceCards | undefined;
  readonly #count = element("span", "count");
  #chosen: number | undefined;
  readonly #buttons: Readonly<Record<Tab, HTMLButtonElement>>;

  /**
   * `differences` are those of a replay of this dump, and `keys` is the name of the file with its
   * TLS keys.
   */
  constructor(
    dump: LoadedDump,
    parts: {
      readonly differences?: CarriedDifferences | undefined;
      readonly keys?: string | undefined;
    } = {},
  ) {
    const differences = parts.differences?.list;
    this.#dump = dump;
    const { index } = dump;
    this.#sequence = new SequenceView(dump, (event) => this.#choose(event));
    this.#connections = new ConnectionList(dump, (connection) =>
      this.#choose(index.byConnection[index.connections.from(connection)]),
    );
    this.#activity = new ActivityPlot(dump, (atNs) => {
      this.#open("sequence");
      this.#sequence.scrollTo(atNs);
    });
    this.#conversation = new Conversation(dump, (event) => this.#choose(event));
    this.#differences =
      differences &&
      new DifferenceCards(differences, (difference) => this.#choose(eventOf(index, difference)));
    this.#buttons = {
      differences: button(plural(differences?.count ?? 0, "difference"), () =>
        this.#open("differences"),
      ),
      sequence: button("sequence", () => this.#open("sequence")),
      connections: button("connections", () => this.#open("connections")),
    };
    const bar = element("nav", "", ...Object.values(this.#buttons), this.#filter(), this.#count);
    this.#buttons.differences.hidden = differences === undefined;
    this.#sequence.mark(differences?.differences.map((one) => eventOf(index, one)) ?? []);
    const lists = element("div", "lists", this.#sequence.root, this.#connections.root);
    if (this.#differences) lists.append(this.#differences.root);
    this.root = element(
      "div",
      "viewer",
      this.#about(parts.differences?.outcome, parts.keys),
      this.#activity.root,
      bar,
      element("main", "", lists, this.#conversation.root),
    );
    this.#open(differences && differences.count > 0 ? "differences" : "sequence");
    this.#show("");
  }

  #about(
    outcome: CarriedDifferences["outcome"] | undefined,
    keys: string | undefined,
  ): HTMLElement {
    const { name, summary } = this.#dump;
    const { connections, bytesToServer, bytesToClient } = summary.totals;
    const totals = [
      plural(connections, "connection"),
      formatBytes(bytesToServer + bytesToClient),
      ...(summary.packets > 0 ? [`${plural(summary.packets, "packet")} other than TCP`] : []),
      ...(summary.end.complete ? [] : ["cut off before its end"]),
    ];
    const run = element("pre", "", renderRun(summary));
    const details = element("details", "", element("summary", "", totals.join(", ")), run);
    const verdict =
      outcome === undefined
        ? []
        : [element("p", `verdict ${outcome.verdict}`, `${outcome.verdict}: ${outcome.text}`)];
    const hint = keys === undefined ? [] : [element("p", "hint", describeKeys(name, keys))];
    return element("header", "about", element("h1", "", name), ...verdict, ...hint, details);
  }

  #filter(): HTMLElement {
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = "filter: client  #3  :6379  reset  from=1.5s  /GET/";
    input.ariaLabel = "filter";
    input.addEventListener("input", () => {
      const problem = this.#show(input.value);
      input.setCustomValidity(problem);
      input.title = problem;
    });
    return input;
  }

  /** Shows what passes the filter. Returns what is wrong with it, else nothing. */
  #show(filter: string): string {
    const { index, texts } = this.#dump;
    const { selection, problem } = parseFilter(filter, index);
    if (selection === undefined) {
      this.#count.textContent = problem;
      return problem;
    }
    const events = eventsThatPass(
      index,
      selection,
      (event) => texts.of(event) ?? labelOf(index, event),
    );
    this.#sequence.show(events);
    this.#connections.show(connectionsOf(index, events));
    this.#activity.show(events);
    this.#count.textContent =
      events.length === index.eventCount
        ? plural(events.length, "event")
        : `${events.length} of ${plural(index.eventCount, "event")}`;
    return "";
  }

  #choose(event: EventNumber | undefined): void {
    this.#chosen = event;
    this.#revealChosen();
    this.#conversation.show(event);
  }

  #revealChosen(): void {
    const { index } = this.#dump;
    const event = this.#chosen;
    this.#sequence.choose(event);
    this.#connections.choose(event === undefined ? undefined : index.connection(event));
  }

  #open(tab: Tab): void {
    this.#sequence.root.hidden = tab !== "sequence";
    this.#connections.root.hidden = tab !== "connections";
    if (this.#differences) this.#differences.root.hidden = tab !== "differences";
    for (const name of tabs) this.#buttons[name].ariaPressed = String(name === tab);
    // A hidden list cannot scroll.
    this.#revealChosen();
  }
}

function connectionsOf(index: RecordingIndex, events: Uint32Array): Set<number> {
  const connections = new Set<number>();
  for (const event of events) connections.add(index.connection(event));
  return connections;
}
