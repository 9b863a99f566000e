/** The report on a room: who took part, what was decided and asked for, how much happened on which day. */

import { openDialog } from "./dialog.js";
import { button, copy, field, fill, h } from "./dom.js";
import { fileName, save } from "./export.js";
import { bodyOf } from "./html.js";
import { icon } from "./icons.js";
import { toast, toastFailure } from "./toast.js";

/** @import { Written } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

const SPANS = [["from the beginning", ""], ["of the last 24 hours", "24h"], ["of the last 7 days", "7d"], ["of the last 30 days", "30d"]];

/**
 * @param {Store} store
 * @param {string} room
 */
export async function openReport(store, room) {
  if (document.querySelector("[data-testid=report-dialog]")) return;
  const view = openDialog({ title: "Report", testid: "report-dialog", className: "document", isSticky: true });
  const span = h("select", { "data-testid": "report-span", on: { change: () => void show() } }, SPANS.map(([name, value]) => h("option", { value }, name)));
  const text = h("div", { class: "sheet", "data-testid": "report-text", "aria-live": "polite" }, h("p", { class: "quiet-note" }, "Reading the log …"));
  let markdown = "";
  const copied = async () => toast(await copy(markdown) ? "Copied." : "The browser did not allow copying. Select the text instead.");
  const kept = () => save(new Blob([markdown], { type: "text/markdown" }), fileName("report", store.room(room)?.title ?? "", "md"));
  view.show(h("div", { class: "document-head" }, field("All that happened", span),
    h("div", { class: "actions" }, button("Save", { "data-testid": "report-save", on: { click: kept } }, icon("export")), button("Copy as Markdown", { class: "quiet", "data-testid": "report-copy", on: { click: copied } }, icon("copy")))), text);
  const show = async () => {
    try {
      /** @type {Written} */
      const report = await store.api.ask("report", { room, since: span.value || undefined });
      markdown = report.markdown;
      fill(text, report.html ? bodyOf(report.html) : h("div", { class: "prose plain" }, markdown));
    } catch (error) {
      toastFailure(error);
      if (!markdown) view.dialog.close();
    }
  };
  await show();
}
