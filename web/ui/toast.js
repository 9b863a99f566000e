/** Short words about what was just done or refused. */

import { asRefused } from "./api.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";

const STAY = 5_000;
const shelf = h("div", { class: "toasts", "data-testid": "toasts", role: "status" });

export function toastShelf() {
  return shelf;
}

/** @param {string} text */
export function toast(text) {
  const note = h("div", { class: "toast" }, h("p", null, text));
  shelf.append(note);
  setTimeout(() => note.remove(), STAY);
}

/** @param {unknown} error stays until it is closed: it holds a next step */
export function toastFailure(error) {
  const { failure } = asRefused(error);
  const note = h("div", { class: "toast is-failure", role: "alert" }, h("p", null, h("b", null, failure.message), " ", failure.next),
    button("", { class: "icon-button small", "aria-label": "Dismiss", on: { click: () => note.remove() } }, icon("close")));
  shelf.append(note);
}
