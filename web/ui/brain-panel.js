/** The brain of the room: looking for what was remembered, as one types. */

import { asRefused } from "./api.js";
import { button, fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { recollectionCard } from "./recollection.js";
import { BRAIN_KINDS, openRemember } from "./remember.js";
import { minute } from "./time.js";
import { toast, toastFailure } from "./toast.js";

/** @import { PanelHooks, Recollection } from "./memory-types.js" */
/** @import { Store } from "./store.js" */

const SETTLE = 150;
const FEW = 20;
const MOST = 100;

export class BrainPanel {
  element = h("div", null);
  #timer = 0;
  /** Answers that overtake each other would show what is not looked for any more. */
  #asked = 0;
  #limit = FEW;
  /** @type {string[]} */
  #tags = [];
  #drawn = "";
  /** Entries that are shown whole. @type {Set<string>} */
  #unfolded = new Set();

  /**
   * @param {Store} store
   * @param {string} room
   * @param {PanelHooks} hooks
   */
  constructor(store, room, hooks) {
    this.store = store;
    this.room = room;
    this.hooks = hooks;
    const change = { on: { change: () => this.#anew() } };
    this.query = h("input", { type: "search", placeholder: "Search the brain", "aria-label": "Search the brain", autocomplete: "off", maxlength: "200", "data-testid": "brain-search", on: { input: () => this.#soon() } });
    this.kind = h("select", { "aria-label": "Kind of entry", "data-testid": "brain-kind", ...change }, h("option", { value: "" }, "every kind"), BRAIN_KINDS.map((kind) => h("option", { value: kind }, kind)));
    this.superseded = h("input", { type: "checkbox", "data-testid": "brain-superseded", ...change });
    this.transcript = h("input", { type: "checkbox", "data-testid": "brain-transcript", ...change });
    this.chosen = h("div", { class: "chosen-tags", hidden: true });
    this.list = h("div", { class: "recollections", "data-testid": "brain" });
    this.found = h("p", { class: "visually-hidden", role: "status" });
    this.element.append(h("search", { class: "brain-search", "aria-label": "Brain" },
      h("span", { class: "search-field" }, icon("search"), this.query,
        button("", { class: "icon-button small", "aria-label": "Remember something", title: "Remember something", "data-testid": "open-remember", on: { click: () => this.#remember() } }, icon("plus"))),
      h("div", { class: "brain-bounds" }, this.kind, h("label", { class: "tick", title: "Entries in whose place another one stands" }, this.superseded, "replaced"), h("label", { class: "tick", title: "Looks through messages and shared code, too" }, this.transcript, "whole room"))),
      this.chosen, this.found, this.list);
  }

  focus() {
    this.query.focus();
    this.query.select();
  }

  async refresh() {
    const asked = (this.#asked += 1);
    // Without words, nothing of the transcript fits better than the rest.
    const isWhole = this.transcript.checked && this.query.value.trim() !== "";
    const question = {
      room: this.room, query: this.query.value.trim() || undefined, kind: this.kind.value || undefined, tags: this.#tags,
      superseded: this.superseded.checked, transcript: isWhole, artifacts: isWhole, limit: this.#limit,
    };
    try {
      const { entries } = await this.store.api.ask("recall", question);
      if (asked === this.#asked) this.#draw(entries);
    } catch (error) {
      const { failure } = asRefused(error);
      if (asked === this.#asked && !this.list.childElementCount) fill(this.list, h("p", { class: "quiet-note" }, failure.message));
    }
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#anew(), SETTLE);
  }

  /** Looks for something else than before. */
  #anew() {
    clearTimeout(this.#timer);
    this.#limit = FEW;
    void this.refresh();
  }

  /** @param {Recollection[]} entries */
  #draw(entries) {
    const drawn = JSON.stringify([entries, [...this.#unfolded], this.#limit, this.#nothing(), minute()]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const found = entries.length === 1 ? "1 entry" : `${entries.length} entries`;
    if (this.found.textContent !== found) this.found.textContent = found;
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.getAttribute("data-focus") : null;
    fill(this.list, entries.length === 0 && h("p", { class: "empty-note" }, this.#nothing()),
      entries.map((entry) => recollectionCard(entry, {
        goTo: this.hooks.goTo,
        pick: (tag) => this.#pick(tag),
        bringBack: () => void this.#bringBack(entry),
        replace: () => this.#remember(entry),
        isWhole: this.#unfolded.has(entry.event),
        unfold: () => {
          this.#unfolded.add(entry.event);
          this.#draw(entries);
        },
      })),
      entries.length >= this.#limit && this.#limit < MOST && button("More", { class: "quiet", "data-testid": "brain-more", "data-focus": "more", on: { click: () => this.#more() } }));
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`[data-focus="${CSS.escape(focused)}"]`))?.focus({ preventScroll: true });
  }

  #nothing() {
    const isNarrow = this.query.value.trim() || this.kind.value || this.#tags.length;
    return isNarrow ? "Nothing here fits." : "Empty yet. What agents remember with pair_remember stands here: facts, decisions, snippets, links and insights that both sides want to find again.";
  }

  #more() {
    this.#limit = MOST;
    void this.refresh();
  }

  /** @param {string} tag is looked for, or no more */
  #pick(tag) {
    this.#tags = this.#tags.includes(tag) ? this.#tags.filter((other) => other !== tag) : [...this.#tags, tag];
    this.chosen.hidden = !this.#tags.length;
    fill(this.chosen, this.#tags.map((chosen) => h("button", { type: "button", class: "chip", "data-testid": "brain-tag-chosen", "aria-label": `Stop filtering by ${chosen}`, on: { click: () => this.#pick(chosen) } }, h("bdi", null, `#${chosen}`), icon("close"))));
    this.#anew();
  }

  /** @param {Recollection} [old] to be replaced */
  #remember(old) {
    openRemember(this.store, this.room, () => this.#anew(), old);
  }

  /** @param {Recollection} entry */
  async #bringBack({ event }) {
    try {
      await this.store.api.ask("restore", { room: this.room, entry: event });
      toast("Brought back. The newer one stays readable.");
      await this.refresh();
    } catch (error) {
      toastFailure(error);
    }
  }
}
