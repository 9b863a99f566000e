/** The whole transcript as a file of the browser's. */

import { openDialog } from "./dialog.js";
import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { toast, toastFailure } from "./toast.js";

/** @import { ExportFormat } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

/** @type {[ExportFormat, string, string][]} */
const FORMATS = [
  ["md", "Markdown", "To read and to keep with the project. What members wrote is quoted."],
  ["html", "One HTML page", "To look at in any browser. It loads nothing, and nothing in it runs."],
  ["json", "JSON", "Every event with all of its fields, for programs."],
];

/**
 * @param {Store} store
 * @param {string} room
 */
export function openExport(store, room) {
  if (document.querySelector("[data-testid=export-dialog]")) return;
  const { show, signal } = openDialog({ title: "Export the transcript", testid: "export-dialog", className: "export-dialog" });
  const title = store.room(room)?.title ?? "";
  const download = async (/** @type {ExportFormat} */ format, /** @type {HTMLButtonElement} */ go) => {
    go.disabled = true;
    try {
      const file = await store.api.exported(room, format, signal);
      save(file, fileName("transcript", title, format));
      toast("Saved by the browser.");
    } catch (error) {
      if (!signal.aborted) toastFailure(error);
    }
    go.disabled = false;
  };
  show(h("p", null, "All that was said in this room, from its beginning. It leaves what is sealed on your machine: keep it where only you look."),
    h("ul", { class: "formats" }, FORMATS.map(([format, name, hint]) => h("li", null, h("span", null, h("b", null, name), h("span", { class: "hint" }, hint)),
      button("Save", { "aria-label": `Save as ${name}`, "data-testid": `export-${format}`, on: { click: (/** @type {Event} */ event) => void download(format, /** @type {HTMLButtonElement} */ (event.currentTarget)) } }, icon("export"))))));
}

/**
 * @param {Blob} file
 * @param {string} name
 */
export function save(file, name) {
  const url = URL.createObjectURL(file);
  h("a", { href: url, download: name }).click();
  // The browser has taken it up by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * Others chose the title: of it only what is a name everywhere stays.
 * @param {string} what
 * @param {string} title
 * @param {string} ending
 */
export function fileName(what, title, ending) {
  const name = title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return [what, name, new Date().toLocaleDateString("sv")].filter(Boolean).join("-") + `.${ending}`;
}
