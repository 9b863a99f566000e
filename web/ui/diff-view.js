/** A patch as the companion took it apart: file by file, with what it does to each. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { revealed } from "./reveal.js";

/** @import { DiffFile, DiffLine } from "./types.js" */

const CHANGES = { added: "new file", deleted: "deleted", modified: "", renamed: "renamed", copied: "copied" };
const SIGNS = { context: " ", added: "+", removed: "-" };
const LOOKS = { context: "is-same", added: "is-added", removed: "is-removed" };

/** @param {DiffFile[]} files */
export function diffView(files) {
  return h("div", { class: "diff", "data-testid": "diff" }, files.map(fileView));
}

/** @param {DiffFile} file */
function fileView(file) {
  const { old, new: now, change, executable, binary, added, removed, hunks } = file;
  const name = (/** @type {string} */ path) => h("code", { class: "exact" }, revealed(path, { letters: true }));
  return h("section", { class: "diff-file", "data-change": change },
    h("h4", null, old && now && old !== now ? [name(old), " → ", name(now)] : name(now ?? old ?? ""),
      CHANGES[change] && h("span", { class: "hint" }, CHANGES[change]),
      executable && h("span", { class: "mark danger-mark" }, icon("alarm"), "becomes executable"),
      h("span", { class: "diff-count" }, h("span", { class: "is-added" }, `+${added}`), h("span", { class: "is-removed" }, `−${removed}`))),
    binary && h("p", { class: "hint" }, "Binary: there are no lines to show."),
    hunks.length > 0 && h("ol", { class: "patch exact" }, hunks.flatMap((hunk) => [
      h("li", { class: "is-hunk", "data-before": "", "data-after": "" }, h("code", null, `@@ ${hunk.old_start} → ${hunk.new_start} @@ `, revealed(hunk.section), "\n")),
      ...hunk.lines.map(lineView),
    ])));
}

/** @param {DiffLine} line */
function lineView({ kind, text, old, new: now }) {
  return h("li", { class: LOOKS[kind] ?? "is-same", "data-before": old ?? "", "data-after": now ?? "" }, h("code", null, SIGNS[kind] ?? " ", revealed(text), "\n"));
}
