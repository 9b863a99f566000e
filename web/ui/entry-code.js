/** Shared code in the transcript: what it is said to be, and what to beware of. */

import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { revealed } from "./reveal.js";

/** @import { Artifact, Entry } from "./types.js" */
/** @import { RowContext } from "./entry.js" */

/**
 * @param {Entry} entry
 * @param {RowContext} context
 * @param {HTMLElement} tools
 */
export function codeCard(entry, context, tools) {
  return h("div", { class: "said" },
    h("p", { class: "labels" }, h("span", { class: "kind", "data-testid": "entry-kind" }, entry.is_patch ? "patch" : "code"), entry.void && h("span", { class: "mark", "data-testid": "void-mark" }, "no effect: ", h("bdi", null, entry.void))),
    new CodeCard(entry, context), tools);
}

/** Follows the artifact as long as it is on the page. */
class CodeCard extends HTMLElement {
  #shown = new AbortController();

  /**
   * @param {Entry} entry
   * @param {RowContext} context
   */
  constructor(entry, context) {
    super();
    this.entry = entry;
    this.context = context;
    this.className = "request-card";
    this.dataset.testid = "code-card";
    this.state = h("p", { class: "request-chips" });
    fill(this, h("p", { class: "headline" }, revealed(entry.headline ?? entry.text)), this.state,
      button("Look at it", { "data-testid": "open-artifact", on: { click: () => context.openArtifact(entry.artifact ?? entry.event) } }, icon("box")));
  }

  connectedCallback() {
    this.#shown = new AbortController();
    const { entry, context } = this;
    context.shared.on("changed", ({ room, items }) => { if (room === entry.room) this.#draw(items); }, this.#shown.signal);
    this.#draw(context.shared.known(entry.room));
  }

  disconnectedCallback() {
    this.#shown.abort();
  }

  /** @param {Artifact[]} items */
  #draw(items) {
    const item = items.find(({ id }) => id === (this.entry.artifact ?? this.entry.event));
    if (!item) return;
    const share = item.size ? Math.round((100 * item.progress) / item.size) : 100;
    fill(this.state,
      h("span", { class: "chip standing-chip" }, item.state === "complete" ? "in quarantine" : item.state === "removed" ? "removed here" : item.state === "broken" ? "broken" : `${share} % here`),
      item.warnings.length > 0 && h("span", { class: "mark danger-mark", "data-testid": "danger-mark", title: item.warnings.map(({ reason }) => reason).join(" ") }, icon("alarm"),
        item.warnings.length === 1 ? item.warnings[0].reason : `${item.warnings.length} warnings`));
  }
}

customElements.define("pw-code-card", CodeCard);
