/**
 * A list of very many rows of equal height. Only visible rows have elements.
 *
 * Browsers lay out nothing higher than some tens of millions of pixels. The list's height is
 * therefore limited, and the position of its scroll bar is a fraction of all rows instead of a
 * number of pixels.
 */
import { element } from "./dom.ts";

/** The height of a row, as in page.css. */
const rowPx = 22;
const mostPx = 8_000_000;

export class VirtualList {
  readonly root: HTMLElement;
  readonly #head: HTMLElement;
  readonly #render: (row: number) => HTMLElement;
  readonly #window = element("div", "window");
  readonly #sizer = element("div", "sizer", this.#window);
  #count = 0;
  #isDue = false;

  /** `head` stays on top. `render` creates a row's element each time the row becomes visible. */
  constructor(head: HTMLElement, render: (row: number) => HTMLElement) {
    this.#head = head;
    this.#render = render;
    this.root = element("div", "list", head, this.#sizer);
    this.root.tabIndex = 0;
    this.root.addEventListener("scroll", () => this.refresh());
    new ResizeObserver(() => this.refresh()).observe(this.root);
  }

  setCount(count: number): void {
    this.#count = count;
    this.#sizer.style.height = `${this.#heightPx()}px`;
    this.refresh();
  }

  /** Redraws the visible rows before the next frame. */
  refresh(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => this.#draw());
  }

  /** Scrolls this row to the middle, unless it is visible already. */
  reveal(row: number): void {
    const inView = this.#rowsInView();
    const first = this.#first();
    if (row >= first && row <= first + inView - 1) return;
    const share = (row - inView / 2) / Math.max(1, this.#count - inView);
    this.root.scrollTop = share * this.#travelPx();
  }

  #draw(): void {
    this.#isDue = false;
    const first = this.#first();
    const from = Math.floor(first);
    const to = Math.min(this.#count, Math.ceil(first + this.#rowsInView()) + 1);
    const rows: HTMLElement[] = [];
    for (let row = from; row < to; row++) rows.push(this.#render(row));
    const atPx = this.root.scrollTop - (first - from) * rowPx;
    this.#window.style.transform = `translateY(${atPx}px)`;
    this.#window.replaceChildren(...rows);
  }

  #heightPx(): number {
    return Math.min(this.#count * rowPx, mostPx);
  }

  /** The range of the scroll bar. */
  #travelPx(): number {
    return Math.max(1, this.#heightPx() - this.#rowsInView() * rowPx);
  }

  #rowsInView(): number {
    return Math.max(1, (this.root.clientHeight - this.#head.offsetHeight) / rowPx);
  }

  /** The row at the top; the fraction is its hidden part. */
  #first(): number {
    const share = Math.min(1, this.root.scrollTop / this.#travelPx());
    return Math.max(0, this.#count - this.#rowsInView()) * share;
  }
}
