/** Everything about one event, as the log has it. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { kindName } from "./kinds.js";
import { fullTime } from "./time.js";

/** @import { Entry } from "./types.js" */

/**
 * @param {HTMLElement} panel
 * @param {Entry} entry
 * @param {{goTo: (event: string) => void, back: () => void}} hooks
 */
export function showInspector(panel, entry, hooks) {
  const links = (/** @type {string[]} */ ids) => ids.length ? h("ul", { class: "ids" }, ids.map((id) => h("li", null, eventLink(id, hooks.goTo)))) : "none";
  fill(panel,
    h("div", { class: "inspector", "data-testid": "inspector", "data-event": entry.event },
      h("header", { class: "inspector-head" }, h("h3", { tabindex: "-1" }, `${kindName(entry.kind)} by ${entry.name}`),
        button("", { class: "icon-button", "aria-label": "Back to people", "data-testid": "inspector-close", on: { click: hooks.back } }, icon("close"))),
      entry.forked && h("p", { class: "alarm-note" }, icon("alarm"), `One of two events that ${entry.name} signed in one place. That is proof that somebody holds a copy of this key.`),
      entry.void && h("p", { class: "void-note" }, `Has no effect: ${entry.void}`),
      table([
        ["id", h("code", { class: "id" }, entry.event)],
        [entry.parents.length > 1 ? "parents (a merge)" : "parents", links(entry.parents)],
        ["author", h("span", null, entry.name, h("code", { class: "id" }, entry.member))],
        ["session", h("span", null, `${entry.emoji} ${entry.session_name}, ${entry.origin}`, h("code", { class: "id" }, entry.session))],
        ["seq", `${entry.seq}, the author’s ${entry.seq}${ordinal(entry.seq)} event`],
        ["depth", entry.depth],
        ["arrival", `${entry.arrival} on this machine`],
        ["claimed time", h("time", { datetime: entry.at }, fullTime(entry.at))],
        ["signature", "valid, checked when it came in"],
        ["author’s key", entry.me ? "yours" : entry.verified ? "verified" : "not verified"],
        ["answers", entry.answers ? links([entry.answers]) : null],
        ["answered by", entry.answered_by?.length ? links(entry.answered_by) : null],
      ]),
      h("details", { class: "raw" }, h("summary", null, "Raw fields"), h("pre", { tabindex: "0", "data-testid": "inspector-raw", role: "group", "aria-label": "Raw fields" }, raw(entry)))));
}

/** @param {[string, import("./dom.js").Child][]} rows */
function table(rows) {
  return h("dl", { class: "facts" }, rows.flatMap(([name, value]) => (value === null ? [] : [h("dt", null, name), h("dd", null, value)])));
}

/**
 * @param {string} id
 * @param {(event: string) => void} goTo
 */
function eventLink(id, goTo) {
  return button(`${id.slice(0, 16)}…`, { class: "link id", title: id, "data-testid": "inspector-link", on: { click: () => goTo(id) } });
}

/** @param {Entry} entry */
function raw(entry) {
  const { html, ...rest } = entry;
  return JSON.stringify(rest, null, 2);
}

/** @param {number} n */
function ordinal(n) {
  if (n % 100 >= 11 && n % 100 <= 13) return "th";
  return ["th", "st", "nd", "rd"][n % 10] ?? "th";
}
