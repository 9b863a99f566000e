/** One entry of the brain, or of the transcript where it was found beside it. */

import { button, h } from "./dom.js";
import { bodyOf } from "./html.js";
import { icon } from "./icons.js";
import { kindName } from "./kinds.js";
import { ago, fullTime } from "./time.js";

/** @import { Recollection } from "./memory-types.js" */

/** What fits into a card without being folded. */
const LETTERS = 240;
const LINES = 5;

/**
 * @param {Recollection} entry
 * @param {{goTo: (event: string) => void, pick: (tag: string) => void, bringBack: () => void, replace: () => void, isWhole: boolean, unfold: () => void}} hooks
 */
export function recollectionCard(entry, hooks) {
  const isOld = entry.superseded_by !== undefined;
  const key = (/** @type {string} */ name) => ({ "data-focus": `${name}-${entry.event}` });
  return h("article", { class: `recollection ${isOld ? "is-superseded" : ""}`, "data-testid": "recollection", "data-event": entry.event, "data-kind": entry.kind, "data-source": entry.source },
    h("p", { class: "recollection-labels" }, h("span", { class: "kind" }, kindName(entry.kind)), isOld && h("span", { class: "mark", "data-testid": "superseded" }, "replaced")),
    entry.source === "brain" && !isOld && button("", { class: "icon-button small replace", "aria-label": `Replace ${entry.headline ?? "it"}`, title: "Replace", "data-testid": "replace", ...key("replace"), on: { click: hooks.replace } }, icon("pen")),
    h("h3", null, h("button", { type: "button", class: "recollection-headline", "data-testid": "recollection-open", title: "Show it in the transcript", ...key("open"), on: { click: () => hooks.goTo(entry.event) } }, h("bdi", null, entry.headline || firstLine(entry.content)))),
    content(entry, hooks, key),
    entry.tags.length > 0 && h("p", { class: "tags" }, entry.tags.map((tag) => h("button", { type: "button", class: "tag", "data-testid": "brain-tag", ...key(`tag-${tag}`), on: { click: () => hooks.pick(tag) } }, h("bdi", null, `#${tag}`)))),
    entry.provenance.length > 0 && h("ul", { class: "provenance", "aria-label": "Where it comes from" }, entry.provenance.map((source) => h("li", null, h("bdi", null, source)))),
    h("p", { class: "ledger-by" }, h("bdi", null, entry.me ? "you" : entry.name), entry.origin === "agent" ? ", agent · " : " · ", h("time", { datetime: entry.at, title: fullTime(entry.at) }, ago(entry.at))),
    isOld && h("div", { class: "recollection-tools" },
      button("Bring back", { "data-testid": "bring-back", title: "A copy of it takes the place of the newer one", ...key("back"), on: { click: hooks.bringBack } }, icon("undo")),
      button("The newer one", { class: "quiet", "data-testid": "newer", ...key("newer"), on: { click: () => hooks.goTo(entry.superseded_by ?? "") } })));
}

/**
 * @param {Recollection} entry
 * @param {{isWhole: boolean, unfold: () => void}} hooks
 * @param {(name: string) => object} key
 */
function content(entry, { isWhole, unfold }, key) {
  const body = bodyOfEntry(entry);
  body.dataset.testid = "recollection-content";
  const isLong = entry.content.length > LETTERS || entry.content.split("\n", LINES + 1).length > LINES;
  if (!isLong || isWhole) return body;
  body.classList.add("is-folded");
  // Out of sight is out of the tab order too.
  body.inert = true;
  return h("div", null, body, button("All of it", { class: "link", "data-testid": "recollection-unfold", ...key("unfold"), on: { click: unfold } }));
}

/** @param {Recollection} entry */
function bodyOfEntry({ lines, html, content: text }) {
  if (lines) return h("div", { class: "prose" }, h("p", { class: "hint" }, `lines ${lines}`), h("pre", { tabindex: "0", role: "group", "aria-label": "Code" }, h("code", null, text)));
  return html === undefined ? h("div", { class: "prose plain" }, text) : bodyOf(html);
}

/** @param {string} text */
function firstLine(text) {
  return text.trim().split("\n", 1)[0].slice(0, 120);
}
