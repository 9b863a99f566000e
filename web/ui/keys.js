/** The keyboard: single keys outside of text fields, and the list of them. */

import { openDialog } from "./dialog.js";
import { h, isTyping } from "./dom.js";

/** @import { Command } from "./types.js" */
/** @import { App } from "./app.js" */

/** @type {Record<string, string>} */
const ALIASES = { ArrowDown: "j", ArrowUp: "k", Enter: "d" };
const FIXED = [["Enter", "Send"], ["Shift Enter", "New line"], ["Esc", "Close what is open"], ["↓ ↑", "Next and previous entry, in the transcript"]];

/**
 * @param {App} app
 * @param {() => Command[]} commands
 */
export function listenToKeys(app, commands) {
  document.addEventListener("keydown", (event) => {
    if (app.main.inert) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      return run(commands(), "Ctrl K");
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return escape(app, event);
    if (isTyping(event.target)) return;
    const key = keyOf(event, app);
    if (key && run(commands(), key)) event.preventDefault();
  });
}

/** @param {Command[]} commands */
export function openKeys(commands) {
  if (document.querySelector("[data-testid=keys-dialog]")) return;
  const rows = [...commands.flatMap(({ key, title }) => (key ? [[key, title]] : [])), ...FIXED];
  openDialog({ title: "Keys", testid: "keys-dialog", className: "keys-dialog" },
    h("dl", { class: "key-list" }, rows.map(([key, title]) => h("div", null, h("dt", null, key.split(" ").map((part) => h("kbd", null, part))), h("dd", null, title)))));
}

/**
 * @param {KeyboardEvent} event
 * @param {App} app
 */
function keyOf(event, app) {
  const alias = ALIASES[event.key];
  if (!alias) return event.key;
  // Elsewhere these keys scroll and press buttons.
  return event.target === document.body || (event.target instanceof HTMLElement && event.target.matches("article") && app.contains(event.target)) ? alias : "";
}

/**
 * @param {Command[]} commands
 * @param {string} key
 */
function run(commands, key) {
  const command = commands.find((one) => one.key === key);
  command?.run();
  return command !== undefined;
}

/**
 * @param {App} app
 * @param {KeyboardEvent} event
 */
function escape(app, event) {
  if (app.active?.closeSide()) return event.preventDefault();
  if (app.active && !app.active.filterBar.hidden) return app.active.filterBar.close();
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}
