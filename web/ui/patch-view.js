/** A patch line by line, in the colours of a diff: every line of it, as it is. */

import { h } from "./dom.js";
import { revealed } from "./reveal.js";

const HUNK = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

/**
 * @typedef {object} Line
 * @property {"file" | "head" | "hunk" | "added" | "removed" | "same" | "other"} look
 * @property {string} text
 * @property {number | null} before its number in the old file
 * @property {number | null} after its number in the new file
 */

/** @param {string} patch */
export function patchView(patch) {
  return h("ol", { class: "patch exact" }, linesOf(patch).map(row));
}

/**
 * What each line of a patch is. Inside of a hunk its header counts, so that a line that looks like another header is none.
 * @param {string} patch
 * @returns {Line[]}
 */
export function linesOf(patch) {
  let [before, after, oldLeft, newLeft] = [0, 0, 0, 0];
  return patch.replace(/\n$/, "").split("\n").map((text) => {
    if (oldLeft > 0 || newLeft > 0) {
      if (text.startsWith("+") && newLeft > 0) return line("added", text, null, (newLeft -= 1, after++));
      if (text.startsWith("-") && oldLeft > 0) return line("removed", text, (oldLeft -= 1, before++), null);
      if ((text.startsWith(" ") || text === "") && oldLeft > 0 && newLeft > 0) {
        oldLeft -= 1;
        newLeft -= 1;
        return line("same", text, before++, after++);
      }
      if (text.startsWith("\\")) return line("other", text);
      [oldLeft, newLeft] = [0, 0];
    }
    const hunk = HUNK.exec(text);
    if (!hunk) return line(lookOutside(text), text);
    [before, after] = [Number(hunk[1]), Number(hunk[3])];
    [oldLeft, newLeft] = [Number(hunk[2] ?? 1), Number(hunk[4] ?? 1)];
    return line("hunk", text);
  });
}

/** @param {string} text */
function lookOutside(text) {
  if (text.startsWith("diff --git ")) return "file";
  if (/^(--- |\+\+\+ |index |(old|new|deleted file|new file) mode |(rename|copy) (from|to) |similarity |dissimilarity |GIT binary patch|Binary files )/.test(text)) return "head";
  return "other";
}

/**
 * @param {Line["look"]} look
 * @param {string} text
 * @param {number | null} [before]
 * @param {number | null} [after]
 * @returns {Line}
 */
function line(look, text, before = null, after = null) {
  return { look, text, before, after };
}

/** @param {Line} line */
function row({ look, text, before, after }) {
  // Numbers stand in the style alone: who copies the patch copies the patch.
  return h("li", { class: `is-${look}`, "data-before": before ?? "", "data-after": after ?? "" }, h("code", null, revealed(text), "\n"));
}
