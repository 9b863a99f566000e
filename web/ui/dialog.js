/** A modal dialog with a title; the browser's own dialog keeps the focus and closes on Esc. */

import { button, fill, h, uid } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @typedef {object} DialogLook
 * @property {import("./dom.js").Child | import("./dom.js").Child[]} title
 * @property {string} testid
 * @property {string} [className]
 * @property {boolean} [isSticky] a click beside it does not close it, and the focus begins at its title, not at a button
 */

/**
 * @param {DialogLook} what
 * @param {...(import("./dom.js").Child | import("./dom.js").Child[])} content
 */
export function openDialog({ title, testid, className = "", isSticky = false }, ...content) {
  const id = uid("dialog");
  const before = document.activeElement;
  const body = h("div", { class: "dialog-body" }, ...content);
  const dialog = h("dialog", { class: `dialog ${className}`, "aria-labelledby": id, "data-testid": testid },
    h("header", { class: "dialog-head" }, h("h2", { id, tabindex: isSticky && "-1", autofocus: isSticky }, title),
      button("", { class: "icon-button", "aria-label": "Close", "data-testid": "dialog-close", on: { click: () => dialog.close() } }, icon("close"))),
    body);
  const closed = new AbortController();
  dialog.addEventListener("click", (event) => event.target === dialog && !isSticky && dialog.close());
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return { dialog, body, signal: closed.signal, show: (/** @type {import("./dom.js").Child[]} */ ...nodes) => fill(body, ...nodes) };
}

/**
 * Asks before something that can't be taken back.
 * @param {{title: string, text: string, action: string, testid: string}} what
 * @param {() => void} go
 */
export function confirmDialog({ title, text, action, testid }, go) {
  const { dialog, show } = openDialog({ title, testid });
  show(h("p", null, text), h("div", { class: "actions" },
    button("Cancel", { on: { click: () => dialog.close() } }),
    button(action, { class: "danger", "data-testid": "confirm", on: { click: () => {
      dialog.close();
      go();
    } } })));
}
