/** What a request would do, exactly as it would be handed over. */

import { payloadLabel } from "./action-words.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { patchView } from "./patch-view.js";
import { countForeign, countUnseen, revealed } from "./reveal.js";

/** @import { ActionDetail, Warning } from "./types.js" */

/** More lines than this are drawn only when somebody wants to see them. */
const LINES = 3_000;

/**
 * @param {ActionDetail} detail
 * @param {(isWhole: boolean) => void} changed whether all of it is on the page
 */
export function payloadView({ request, payload, missing }, changed) {
  const lines = payload.split("\n");
  const isPatch = request.action === "apply_patch";
  const letters = request.action === "run_command" || request.action === "fetch_url";
  const view = h("div", { class: "payload-text", "data-testid": "payload" });
  const draw = (/** @type {string} */ text) => fill(view, isPatch ? patchView(text) : h("pre", { class: "exact" }, h("code", null, revealed(text, { letters }))));
  const isLong = lines.length > LINES;
  draw(isLong ? lines.slice(0, LINES).join("\n") : payload);
  changed(!isLong && !missing);
  const rest = isLong && button(`Show the other ${(lines.length - LINES).toLocaleString("en")} lines`, { "data-testid": "payload-rest", on: { click: () => {
    draw(payload);
    if (rest) rest.remove();
    changed(!missing);
  } } }, icon("down"));
  return h("section", { class: "payload" },
    h("h3", null, payloadLabel(request), h("span", { class: "hint" }, sizeOf(payload))),
    missing && h("p", { class: "signs-note", "data-testid": "payload-missing" }, icon("alarm"), missing),
    signsNote(payload, letters), view, rest);
}

/**
 * What a human should know before anything else.
 * @param {Warning[]} warnings
 */
export function dangerList(warnings) {
  if (!warnings.length) return null;
  return h("ul", { class: "dangers", "data-testid": "warnings" }, warnings.map(({ rule, risk, reason, excerpt }) =>
    h("li", { class: `is-${risk}`, "data-rule": rule }, icon("alarm"),
      h("div", null, h("b", null, reason), excerpt && h("code", { class: "exact" }, revealed(excerpt, { letters: true }))))));
}

/** @param {string} text */
function sizeOf(text) {
  const lines = text.split("\n").length;
  return `${lines.toLocaleString("en")} ${lines === 1 ? "line" : "lines"}, ${[...text].length.toLocaleString("en")} letters`;
}

/**
 * @param {string} text
 * @param {boolean} letters
 */
function signsNote(text, letters) {
  const unseen = countUnseen(text);
  const foreign = letters ? countForeign(text) : 0;
  const notes = [unseen && `${unseen} ${unseen === 1 ? "sign" : "signs"} in it would not be seen`, foreign && `${foreign} ${foreign === 1 ? "letter" : "letters"} may only look like Latin`].filter(Boolean);
  return notes.length ? h("p", { class: "signs-note", "data-testid": "signs-note" }, icon("alarm"), `${notes.join(", and ")}. They are marked below.`) : null;
}
