/** Taking up the newest handoff of a room, with what has happened since, and writing a new one. */

import { openDialog } from "./dialog.js";
import { button, copy, h } from "./dom.js";
import { bodyOf } from "./html.js";
import { icon } from "./icons.js";
import { ago, fullTime } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Resumed, Written } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

/**
 * @param {Store} store
 * @param {string} room
 */
export async function openHandoff(store, room) {
  if (document.querySelector("[data-testid=handoff-dialog]")) return;
  const view = openDialog({ title: "Handoff", testid: "handoff-dialog", className: "document", isSticky: true });
  view.show(h("p", { role: "status" }, "Reading …"));
  /** @param {string} ask what is shown comes of it */
  const show = async (ask) => {
    try {
      const answer = await store.api.ask(ask, { room });
      if (!view.signal.aborted) view.show(...page(answer, () => void show("handoff")));
    } catch (error) {
      toastFailure(error);
      if (!view.body.querySelector(".prose")) view.dialog.close();
    }
  };
  await show("resume");
}

/**
 * @param {Resumed | Written} answer
 * @param {() => void} write
 */
function page(answer, write) {
  const copied = async () => toast(await copy(answer.markdown) ? "Copied." : "The browser did not allow copying. Select the text instead.");
  return [
    h("div", { class: "document-head" },
      h("p", { role: "status", "data-testid": "handoff-state" }, ...state(answer)),
      h("div", { class: "actions" },
        button("Write a new one", { class: "primary", "data-testid": "handoff-write", on: { click: write } }, icon("pen")),
        button("Copy as Markdown", { class: "quiet", "data-testid": "handoff-copy", on: { click: copied } }, icon("copy")))),
    "log_ok" in answer && !answer.log_ok && h("p", { class: "alarm-note", "data-testid": "handoff-broken" }, icon("alarm"), "The log here does not hold all that this handoff rests on. Trust the log, and tell the others."),
    h("div", { class: "sheet", "data-testid": "handoff-text" }, answer.html ? bodyOf(answer.html) : h("div", { class: "prose plain" }, answer.markdown)),
    answer.path && h("p", { class: "hint" }, "It lies at ", h("code", { class: "exact" }, answer.path), ", for you alone."),
  ];
}

/** @param {Resumed | Written} answer */
function state(answer) {
  if (!("since" in answer)) return ["Written just now. Whoever goes on here begins with it."];
  if (!answer.written_at) return ["There was none. This one was made just now, from the log."];
  const since = answer.since === 0 ? "nothing has happened since" : `${answer.since.toLocaleString("en")} ${answer.since === 1 ? "event has" : "events have"} come since`;
  return ["Written ", h("time", { datetime: answer.written_at, title: fullTime(answer.written_at) }, ago(answer.written_at)), `; ${since}.`];
}
