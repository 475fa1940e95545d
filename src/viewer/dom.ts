/**
 * Creates elements. Their content is always text, never HTML, because a dump may contain anything.
 */
import type { ConnectionNumber } from "../base/ids.ts";

export function element(
  tag: keyof HTMLElementTagNameMap,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElement {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** A button with a label. */
export function button(text: string, onClick: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.addEventListener("click", onClick);
  return made;
}

/** The hue of a connection, in degrees. Consecutive ones differ by the golden angle. */
export function hueOf(connection: ConnectionNumber): string {
  return String(Math.round((connection * 137.508) % 360));
}
