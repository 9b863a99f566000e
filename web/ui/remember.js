/** Putting an entry into the brain by hand, on its own or in another's place. */

import { asRefused } from "./api.js";
import { openDialog } from "./dialog.js";
import { button, field, h } from "./dom.js";
import { toast } from "./toast.js";

/** @import { Recollection } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

export const BRAIN_KINDS = ["fact", "decision", "snippet", "link", "insight"];

/**
 * @param {Store} store
 * @param {string} room
 * @param {() => void} done
 * @param {Recollection} [old] the entry in whose place this one is to stand
 */
export function openRemember(store, room, done, old) {
  if (document.querySelector("[data-testid=remember-dialog]")) return;
  const { show, dialog } = openDialog({ title: old ? "Replace an entry" : "Remember something", testid: "remember-dialog", isSticky: true });
  const headline = h("input", { required: true, maxlength: "400", autocomplete: "off", value: old?.headline ?? "", "data-testid": "remember-headline" });
  const content = h("textarea", { required: true, rows: "7", "data-testid": "remember-content" }, old?.content ?? "");
  const kind = h("select", { "data-testid": "remember-kind" }, BRAIN_KINDS.map((name) => h("option", { value: name, selected: name === (old?.kind ?? "fact") }, name)));
  const tags = h("input", { autocomplete: "off", value: old?.tags.join(", ") ?? "", "data-testid": "remember-tags" });
  const sources = h("textarea", { rows: "2", "data-testid": "remember-provenance" }, old?.provenance.join("\n") ?? "");
  const refusal = h("p", { class: "refusal", role: "alert", "data-testid": "remember-refusal" });
  const keep = h("button", { class: "primary", "data-testid": "remember-keep" }, old ? "Replace it" : "Remember it");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    keep.disabled = true;
    try {
      await store.api.ask("remember", {
        room, headline: headline.value.trim(), content: content.value, kind: kind.value, tags: parts(tags.value, ","), provenance: parts(sources.value, "\n"), supersedes: old?.event,
      });
      dialog.close();
      toast(old ? "Replaced. The old one stays readable." : "Remembered.");
      done();
    } catch (error) {
      const { failure } = asRefused(error);
      refusal.textContent = `${failure.message} ${failure.next}`;
      keep.disabled = false;
    }
  };
  show(h("form", { class: "remember-form", on: { submit } },
    field("Headline", headline), field("Content", content, "Markdown. Both sides and their agents find it by its words."),
    h("div", { class: "two" }, field("Kind", kind), field("Tags", tags, "With commas between.")),
    field("Where it comes from", sources, "Files with lines, commits or links, one per line."), refusal,
    h("div", { class: "actions" }, keep, button("Cancel", { class: "quiet", on: { click: () => dialog.close() } }))));
  headline.focus();
}

/**
 * @param {string} text
 * @param {string} between
 */
function parts(text, between) {
  return text.split(between).map((part) => part.trim()).filter(Boolean);
}
